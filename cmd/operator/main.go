// Command operator is the operator: it makes a Kubernetes cluster hold what each ChatCluster describes.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"
	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/gochat-dev/gochat/internal/operator/controller"
)

// version is set when a release is built.
var version = "dev"

// cli is the command line. Each setting is a flag, or a variable GOCHAT_OPERATOR_….
type cli struct {
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	Run     runCommand     `cmd:"" default:"withargs" help:"Watch ChatClusters and carry them out (the default)."`
	Render  renderCommand  `cmd:"" help:"Print what would be made of the ChatClusters in a file, without a cluster."`
	Define  defineCommand  `cmd:"" help:"Bring the definition of ChatCluster in a cluster up to date."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Println("gochat-operator", version)
	return err
}

func main() {
	var c cli
	parser := kong.Must(&c, kong.Name("operator"), kong.ShortUsageOnError(), kong.Vars{"version": "gochat-operator " + version},
		kong.Description("Runs chats on Kubernetes: makes what each ChatCluster describes, and keeps it so."))
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

type runCommand struct {
	Namespace []string `env:"GOCHAT_OPERATOR_NAMESPACE" placeholder:"NAME" help:"Watch these namespaces only, and need rights in them only. Without it: the whole cluster."`

	LeaderElection          bool   `env:"GOCHAT_OPERATOR_LEADER_ELECTION" default:"true" negatable:"" help:"Of several operators let one work, by a Lease."`
	LeaderElectionNamespace string `env:"GOCHAT_OPERATOR_LEADER_ELECTION_NAMESPACE" placeholder:"NAME" help:"Where the Lease is. Without it: the namespace of the pod."`

	MetricsListen string `env:"GOCHAT_OPERATOR_METRICS_LISTEN" default:":8443" help:"Address of the metrics, by HTTPS and for who may GET /metrics, or with --namespace get chatclusters/metrics there; 0: none."`
	HealthListen  string `env:"GOCHAT_OPERATOR_HEALTH_LISTEN" default:":8081" help:"Address of /healthz and /readyz; 0: none."`

	LogLevel slog.Level `env:"GOCHAT_OPERATOR_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	Release  string     `env:"GOCHAT_OPERATOR_RELEASE" placeholder:"VERSION" help:"The release whose server image is the default. Without it: the operator's own."`
}

// gcPercent is how much the heap may grow between collections, in percent: the operator is idle most of the time, and what
// it holds should be small (OP11). GOGC in the environment goes first.
const gcPercent = 40

// queriesPerSecond is how much the operator asks of the API server at most: fifty chats begin within a minute.
const queriesPerSecond = 50

// Run carries out ChatClusters until it is told to stop: the first signal lets what is under way finish, the second
// ends at once.
func (r runCommand) Run() error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: r.LogLevel})
	log := slog.New(handler)
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(log)
	if err := readProgramSparingly(); err != nil {
		log.Warn("the system reads more of the program than is used", "error", err)
	}

	to, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no way to a cluster: %w", err)
	}
	to.QPS, to.Burst = queriesPerSecond, 2*queriesPerSecond
	m, err := controller.New(to, controller.Config{
		Release: r.release(), Namespaces: r.Namespace,
		MetricsAddress: r.MetricsListen, HealthAddress: r.HealthListen,
		LeaderElection: r.LeaderElection, LeaderElectionNamespace: r.LeaderElectionNamespace,
		Log: log,
	})
	if err != nil {
		return err
	}
	if err := m.Add(trimmer{log}); err != nil {
		return err
	}
	log.Info("starting", "version", version, "namespaces", r.Namespace)
	return m.Start(ctrl.SetupSignalHandler())
}

func (r runCommand) release() string {
	if r.Release != "" {
		return r.Release
	}
	return version
}
