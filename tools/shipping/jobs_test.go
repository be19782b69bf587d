package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/gochat-dev/gochat/internal/kubetest"
)

// operator is the program, built once.
var operator = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gochat-operator-")
	if err != nil {
		return "", err
	}
	atEnd = append(atEnd, func() error { return os.RemoveAll(dir) })
	program := filepath.Join(dir, "operator")
	build := exec.Command("go", "build", "-o", program, "./cmd/operator")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// runJobs runs the Jobs of gochat-system, as there is no node that would: the program of the operator's image, with their arguments and
// files, as their ServiceAccount. It counts those that it ran.
func (c *cluster) runJobs() {
	c.t.Helper()
	api, err := kubernetes.NewForConfig(rest.CopyConfig(c.config))
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	c.t.Cleanup(func() { stop(); running.Wait() })
	none, err := api.BatchV1().Jobs("gochat-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	jobs, err := watchtools.NewRetryWatcherWithContext(ctx, none.ResourceVersion, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			return api.BatchV1().Jobs("gochat-system").Watch(ctx, opts)
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	running.Go(func() {
		defer jobs.Stop()
		for event := range jobs.ResultChan() {
			if job, ok := event.Object.(*batchv1.Job); ok && event.Type == watch.Added {
				c.jobs.Add(1)
				if err := runJob(ctx, c.t, api, c.config, job); err != nil {
					c.t.Errorf("Job %s: %v", job.Name, err)
				}
			}
		}
	})
}

func runJob(ctx context.Context, t *testing.T, api kubernetes.Interface, cfg *rest.Config, job *batchv1.Job) error {
	program, err := operator()
	if err != nil {
		return err
	}
	pod := job.Spec.Template.Spec
	files, err := api.CoreV1().ConfigMaps(job.Namespace).Get(ctx, pod.Volumes[0].ConfigMap.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	dir := t.TempDir()
	for name, text := range files.Data {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	as := rest.CopyConfig(cfg)
	as.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + job.Namespace + ":" + pod.ServiceAccountName,
		Groups:   []string{"system:serviceaccounts", "system:authenticated"},
	}
	run := exec.CommandContext(ctx, program, inFolder(pod.Containers[0], dir)...)
	run.Env = append(os.Environ(), "KUBECONFIG="+kubetest.Kubeconfig(t, as))
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	now := metav1.NewTime(time.Now())
	job.Status = batchv1.JobStatus{StartTime: &now, CompletionTime: &now, Succeeded: 1, Conditions: []batchv1.JobCondition{
		{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: now},
	}}
	_, err = api.BatchV1().Jobs(job.Namespace).UpdateStatus(ctx, job, metav1.UpdateOptions{})
	return err
}

// inFolder are the arguments of a container, with its only volume in another folder.
func inFolder(c corev1.Container, dir string) []string {
	var args []string
	for _, arg := range c.Args {
		args = append(args, strings.ReplaceAll(arg, c.VolumeMounts[0].MountPath, dir))
	}
	return args
}
