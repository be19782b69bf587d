// Package cluster runs the operator and its chats on a real Kubernetes: whichever -kubeconfig names, and none without.
// `make test-cluster` starts one of one node, if KUBECONFIG names none.
//
// It talks to Services by their addresses, so it has to run where those are reached: on a node, or by bin/cluster run.
package cluster

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

var (
	kubeconfig  = flag.String("kubeconfig", "", "the cluster to test against; without it nothing is tested")
	long        = flag.Bool("long", false, "everything, not only the short form")
	serverImage = flag.String("server-image", "", "the server's image; default: the one of the operator's release")
	nextImage   = flag.String("next-image", "", "another image of the server, to roll to")
	operatorNS  = flag.String("operator-namespace", "gochat-system", "where the operator runs")
	browser     = flag.String("browser", "", "a Chromium for the browser test")
	loadtest    = flag.String("loadtest", "", "the load generator, for P1")
)

// kube is the cluster.
var kube client.WithWatch

func TestMain(m *testing.M) {
	flag.Parse()
	if *kubeconfig == "" {
		fmt.Println("no -kubeconfig: nothing is tested (make test-cluster)")
		return
	}
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func connect() error {
	cfg, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = 100, 200
	kube, err = newClient(cfg)
	if err != nil {
		return err
	}
	return kube.List(context.Background(), &corev1.NodeList{}) // does it answer?
}

func newClient(cfg *rest.Config) (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, autoscalingv1.AddToScheme, rbacv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme, v1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.NewWithWatch(cfg, client.Options{Scheme: scheme})
}

// needLong skips what is not of the short form.
func needLong(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("not of the short form: make test-cluster runs it")
	}
}
