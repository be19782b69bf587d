package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// firstProcess is the verb by which up starts the node's first process, in namespaces of its own.
const firstProcess = "be-first"

func (p places) up() error {
	if _, alive := p.running(); alive {
		fmt.Println("cluster: the node runs already; bin/cluster kubectl talks to it")
		return nil
	}
	if err := p.check(); err != nil {
		return err
	}
	if err := p.down(); err != nil { // what one that was killed has left
		return err
	}
	fmt.Println("cluster: starting the node")
	if err := p.start(); err != nil {
		return errors.Join(err, p.down())
	}
	if err := p.furnish(); err != nil {
		return fmt.Errorf("%w\nthe node's logs are in %s; make cluster-down ends it", err, p.node("log"))
	}
	fmt.Printf("cluster: ready. Its addresses exist in its own network only:\n  bin/cluster kubectl get pods -A\n  bin/cluster run curl …\n")
	return nil
}

// check says what is missing before anything is begun.
func (p places) check() error {
	if os.Geteuid() != 0 {
		return errors.New("a node needs root: it makes namespaces, mounts and cgroups (try sudo make cluster-up)")
	}
	for _, program := range []string{"containerd", "ctr", "runc", "etcd", "iptables", "ip", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing: scripts/addons.sh installs it on Debian and Ubuntu", program)
		}
	}
	for _, file := range []string{p.kubernetes("made-of"), p.addon("made-of"), filepath.Join(plugins, "bridge")} {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%w: make cluster-up builds and installs what is missing", err)
		}
	}
	return nil
}

// start starts the first process and waits until it says that the components run.
func (p places) start() error {
	for _, dir := range []string{"log", "conf"} {
		if err := os.MkdirAll(p.node(dir), 0o700); err != nil {
			return err
		}
	}
	if err := makeCertificates(p.node("pki")); err != nil {
		return err
	}
	admin, err := os.ReadFile(p.node("pki/admin.kubeconfig"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.node("admin.kubeconfig"), admin, 0o600); err != nil {
		return err
	}
	if err := writeConfigurations(p.node("conf")); err != nil {
		return err
	}
	news, err := p.launch()
	if err != nil {
		return err
	}
	defer news.Close()
	said, err := io.ReadAll(news) // until it closes its end
	if err == nil && string(said) != allWell {
		err = fmt.Errorf("the node did not start: %s", said)
	}
	return err
}

// allWell is what the first process says when all components run. Anything else is what went wrong.
const allWell = "well"

// launch starts the first process. What comes out of news is what it says.
func (p places) launch() (news *os.File, err error) {
	news, end, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer end.Close()
	log, err := os.Create(p.node("log/node.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	first := exec.Command(self, firstProcess)
	first.Dir, first.Stdout, first.Stderr = "/", log, log
	first.Env = append(os.Environ(), "GOCHAT_NODE="+p.state)
	first.ExtraFiles = []*os.File{end} // 3
	first.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWCGROUP,
	}
	// The cgroups that a process is in when it gets a namespace for them are that namespace's roots.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, back, err := joinCgroups(p.name())
	if err != nil {
		return nil, err
	}
	if err := errors.Join(first.Start(), back()); err != nil {
		return nil, err
	}
	began, _ := beginningOf(first.Process.Pid)
	err = os.WriteFile(p.node("pid"), fmt.Appendf(nil, "%d %s\n", first.Process.Pid, began), 0o600)
	return news, errors.Join(err, first.Process.Release())
}

// down ends the node. When its first process ends, the kernel ends all others, and with the last of them go the mounts
// and the network.
func (p places) down() error {
	if pid, alive := p.running(); alive {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
		for {
			if _, alive := p.running(); !alive {
				break
			}
			time.Sleep(10 * time.Millisecond) // between two looks; nothing depends on how long
		}
	}
	if err := removeCgroups(p.name()); err != nil {
		return err
	}
	return os.RemoveAll(p.state)
}
