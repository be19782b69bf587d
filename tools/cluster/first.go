package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// beFirst is the life of the node's first process: it makes the namespaces habitable, starts the components, says how
// that went, and takes care of orphans for as long as the node lives.
func (p places) beFirst() error {
	news := os.NewFile(3, "news")
	syscall.CloseOnExec(3)
	names, err := p.settle()
	said := allWell
	if err != nil {
		said = err.Error()
	}
	if _, e := io.WriteString(news, said); e != nil || err != nil {
		return errors.Join(err, e)
	}
	if err := news.Close(); err != nil {
		return err
	}
	for {
		var how syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &how, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		case names[pid] != "":
			log.Printf("%s has ended (status %d, signal %d)", names[pid], how.ExitStatus(), how.Signal())
		}
	}
}

func (p places) settle() (names map[int]string, err error) {
	// On cgroups of version 2, one that hands controllers on has no processes of its own.
	trees, err := hierarchies()
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return syscall.Sethostname([]byte(nodeName)) },
		p.mountFolders,
		func() error { return mountCgroups(trees) },
		p.pretendSettings,
		makeNetwork,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	names = make(map[int]string)
	for _, c := range append(p.below(), p.above()...) {
		if c.name == "controllers" { // the first that needs the API server
			if err := waitForAPIServer(); err != nil {
				return nil, err
			}
		}
		pid, err := p.begin(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		names[pid] = c.name
	}
	return names, nil
}

func (p places) begin(c component) (int, error) {
	out, err := os.Create(filepath.Join(inside, "log", c.name+".log"))
	if err != nil {
		return 0, err
	}
	defer out.Close()
	cmd := exec.Command(c.program, c.args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", out, out
	cmd.Env = append(os.Environ(), "PATH="+searchPath)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil // it is waited for by beFirst
}

// searchPath: Debian keeps iptables and ip where only root looks.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// mountFolders makes the node's own view of the machine's files. What is written to /var stays in the node's state.
func (p places) mountFolders() error {
	mount := func(source, target, kind string, flags uintptr, data string) error {
		if err := syscall.Mount(source, target, kind, flags, data); err != nil {
			return fmt.Errorf("mounting %s: %w", target, err)
		}
		return nil
	}
	// First of all: nothing of what follows reaches the machine. Then: what a pod mounts reaches the node's other mounts.
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return err
	}
	state, err := os.Open(p.state)
	if err != nil {
		return err
	}
	defer state.Close()
	steps := []func() error{
		func() error { return mount("proc", "/proc", "proc", 0, "") },
		func() error { return mount("sysfs", "/sys", "sysfs", 0, "") },
		func() error { return mount("tmpfs", "/run", "tmpfs", 0, "mode=755") },
		func() error { return os.Mkdir(inside, 0o700) },
		func() error {
			return mount(fmt.Sprintf("/proc/self/fd/%d", state.Fd()), inside, "", syscall.MS_BIND, "")
		},
	}
	for _, dir := range []string{"/run/netns", "/run/lock", inside + "/var", inside + "/var-work", inside + "/volumes"} {
		steps = append(steps, func() error { return os.MkdirAll(dir, 0o755) })
	}
	steps = append(steps, func() error {
		return mount("overlay", "/var", "overlay", 0, "lowerdir=/var,upperdir="+inside+"/var,workdir="+inside+"/var-work")
	})
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// mountCgroups shows the node its own cgroups as if they were all there are.
func mountCgroups(trees []hierarchy) error {
	if trees[0].second() {
		if err := syscall.Mount("cgroup2", cgroupRoot, "cgroup2", 0, ""); err != nil {
			return err
		}
		leaf := filepath.Join(cgroupRoot, "first")
		if err := os.Mkdir(leaf, 0o755); err != nil {
			return err
		}
		if err := moveHere(leaf); err != nil {
			return err
		}
		controllers, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
		if err != nil {
			return err
		}
		handOn := "+" + strings.Join(strings.Fields(string(controllers)), " +")
		return os.WriteFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"), []byte(handOn), 0o600)
	}
	if err := syscall.Mount("tmpfs", cgroupRoot, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for _, tree := range trees {
		dir, options := filepath.Join(cgroupRoot, strings.TrimPrefix(tree.controllers, "name=")), tree.controllers
		if strings.HasPrefix(options, "name=") {
			options = "none," + options
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount("cgroup", dir, "cgroup", 0, options); err != nil {
			return fmt.Errorf("mounting cgroups of %s: %w", tree.controllers, err)
		}
	}
	return nil
}

// pretendSettings covers settings of the whole machine, which kubelet would change, with files that have its values already.
func (p places) pretendSettings() error {
	dir := filepath.Join(inside, "settings")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"kernel/keys/root_maxbytes": "25000000", "kernel/keys/root_maxkeys": "1000000", "kernel/panic": "10",
		"kernel/panic_on_oops": "1", "vm/overcommit_memory": "1", "vm/panic_on_oom": "0",
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "."))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := syscall.Mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil && !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("covering %s: %w", name, err)
		}
	}
	return nil
}

// makeNetwork gives the node an address and a default route: kubelet wants both. They lead nowhere.
func makeNetwork() error {
	for _, line := range []string{
		"link set lo up",
		"link add eth0 type veth peer name eth0-end",
		"link set eth0-end up",
		"address add " + nodeIP + "/24 dev eth0",
		"link set eth0 up",
		"route add default via " + gatewayIP + " dev eth0",
	} {
		cmd := exec.Command("ip", strings.Fields(line)...)
		cmd.Env = []string{"PATH=" + searchPath}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	for file, needed := range map[string]bool{"ipv4/ip_forward": true, "bridge/bridge-nf-call-iptables": false} {
		err := os.WriteFile("/proc/sys/net/"+file, []byte("1\n"), 0o600)
		if err != nil && (needed || !errors.Is(err, os.ErrNotExist)) {
			return err
		}
	}
	return nil
}

// waitForAPIServer waits until the API server says that it is ready.
func waitForAPIServer() error {
	ca, err := os.ReadFile(inside + "/pki/ca.crt")
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(inside+"/pki/admin.crt", inside+"/pki/admin.key")
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}}
	deadline := time.Now().Add(2 * time.Minute)
	for {
		resp, err := c.Get(fmt.Sprintf("https://127.0.0.1:%d/readyz", apiserverPort))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the API server is not ready: %w", err)
		}
		time.Sleep(100 * time.Millisecond) // between two looks; nothing depends on how long
	}
}
