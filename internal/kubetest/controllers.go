package kubetest

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// Controllers runs Kubernetes' own controllers beside a server until stop is called: those of Deployments, StatefulSets, Jobs,
// CronJobs and endpoints, and the garbage collector. There is no kubelet: pods are made, and wait for somebody to run them.
func Controllers(t testing.TB, cfg *rest.Config) (stop func()) {
	t.Helper()
	folder, err := built()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(folder, "kube-controller-manager"), "--kubeconfig="+Kubeconfig(t, cfg), "--leader-elect=false",
		"--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000", "--controllers=deployment-controller,replicaset-controller,statefulset-controller,job-controller,"+
			"cronjob-controller,endpointslice-controller,garbage-collector-controller,persistentvolumeclaim-protection-controller")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		ended := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // it was told to
		ended.Stop()
	}
}
