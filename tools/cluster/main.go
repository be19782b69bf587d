// Command cluster is a real Kubernetes with one node on a bare Linux machine: for the tests of test/cluster, and for
// whoever wants to try the operator. It needs neither Docker nor a registry: Kubernetes and what belongs to it is built
// from Go modules, containerd and runc are the system's.
//
// The node lives in namespaces of its own (mounts, processes, network, host name, cgroups), so the machine sees no port,
// no mount and no firewall rule of it, and all of it is gone when its first process is.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

const usage = `cluster VERB: a Kubernetes with one node, in namespaces of its own (Linux, root)

  up                     start it, with DNS, a default StorageClass and metrics; nothing happens where it runs
  down                   end it, and remove everything of it
  kubectl ARGUMENTS…     kubectl as administrator
  run COMMAND…           run a command in the node's network: its addresses exist nowhere else. KUBECONFIG is set
  image NAME FILE        write an image archive: server=BINARY, operator=BINARY, postgres or redis, then the image's name and FILE
  load FILE…             give the node image archives
  logs                   the folder with the logs of its components

The node's data lies in ./data/node, or in the folder that GOCHAT_NODE names.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := do(os.Args[1], os.Args[2:]); err != nil {
		if status, exited := errors.AsType[*exec.ExitError](err); exited && passesOn(os.Args[1]) {
			os.Exit(status.ExitCode())
		}
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// passesOn: these verbs end as the command does that they run, which has said what was wrong.
func passesOn(verb string) bool { return verb == "kubectl" || verb == "run" }

func do(verb string, args []string) error {
	p, err := findPlaces()
	if err != nil {
		return err
	}
	switch verb {
	case "up":
		return p.up()
	case "down":
		return p.down()
	case "kubectl":
		return p.kubectl(args...).Run()
	case "run":
		if len(args) == 0 {
			return errors.New("run what?")
		}
		return p.inNetwork(args...).Run()
	case "image":
		return p.image(args)
	case "load":
		return p.load(args)
	case "logs":
		fmt.Println(p.node("log"))
		return nil
	case firstProcess: // what up starts
		return p.beFirst()
	default:
		return fmt.Errorf("there is no %q\n\n%s", verb, usage)
	}
}

// kubectl is a call of kubectl with all rights.
func (p places) kubectl(args ...string) *exec.Cmd {
	return p.inNetwork(append([]string{p.kubernetes("kubectl")}, args...)...)
}

// inNetwork is a command in the node's network. Files and processes are the machine's.
func (p places) inNetwork(args ...string) *exec.Cmd { return p.enter("--net", args) }

// inNode is a command in the node: its network, its files, its cgroups.
func (p places) inNode(args ...string) *exec.Cmd {
	return p.enter("--net --mount --pid --uts --ipc --cgroup", args)
}

func (p places) enter(namespaces string, args []string) *exec.Cmd {
	pid := "none"
	if first, ok := p.running(); ok {
		pid = fmt.Sprint(first)
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "/"
	}
	all := append([]string{"--target", pid}, strings.Fields(namespaces)...)
	all = append(append(all, "--wdns="+dir, "--"), args...)
	cmd := exec.Command("nsenter", all...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.node("admin.kubeconfig"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if pid == "none" {
		cmd.Err = errors.New("the node does not run: make cluster-up")
	}
	return cmd
}
