package main

import (
	"context"
	"fmt"
	"os"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/gochat-dev/gochat/internal/operator/controller"
)

// defineCommand is what the chart's Job runs at an upgrade: Helm installs a definition, and then leaves it as it is.
type defineCommand struct {
	File    string        `name:"filename" short:"f" required:"" type:"existingfile" placeholder:"FILE" help:"The definition: config/crd/bases/gochat.dev_chatclusters.yaml."`
	Timeout time.Duration `default:"1m" help:"For how long the API server is waited for."`
}

// Run brings the definition of ChatCluster in the cluster up to date.
func (d defineCommand) Run() error {
	manifest, err := os.ReadFile(d.File)
	if err != nil {
		return err
	}
	to, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no way to a cluster: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctrl.SetupSignalHandler(), d.Timeout)
	defer cancel()
	return controller.Define(ctx, to, manifest)
}
