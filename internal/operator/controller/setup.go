package controller

import (
	"cmp"
	"errors"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/metrics"
)

// Config is how the operator runs. Its zero value watches every namespace, serves nothing and elects no leader.
type Config struct {
	Release    string   // the operator's own version
	Namespaces []string // that are watched; none: all

	MetricsAddress string // HTTPS, for whom the API server lets read them (onlyReaders); "" or "0": none
	HealthAddress  string // /healthz and /readyz; "" or "0": none

	LeaderElection          bool
	LeaderElectionNamespace string // "": that of the pod

	Log           *slog.Logger  // nil: the default one
	DiscoverEvery time.Duration // how often optional APIs are looked for; 0: every 30 s
	Connections   Connections   // nil: the servers' own metrics
	Now           func() time.Time
}

// lease is the name of the Lease that the leader holds.
const lease = "gochat-operator"

// concurrent is how many ChatClusters are reconciled side by side.
const concurrent = 2

// passTimeout is how long a pass may take: one that waits for a cache which never comes, for want of a right, then says so.
const passTimeout = 2 * time.Minute

// stopTimeout is how long what is under way may take when the operator is told to stop.
const stopTimeout = 20 * time.Second

// New makes the manager of an operator: everything is in it, and it begins with Start.
func New(to *rest.Config, cfg Config) (ctrl.Manager, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	scheme := runtime.NewScheme()
	if err := clientgo.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	m, err := ctrl.NewManager(to, ctrl.Options{
		Scheme: scheme,
		Logger: logr.FromSlogHandler(cfg.Log.Handler()),
		Cache:  cacheOptions(cfg.Namespaces),
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},

		Metrics:                metricsOptions(cfg),
		HealthProbeBindAddress: orNone(cfg.HealthAddress),

		LeaderElection:                cfg.LeaderElection,
		LeaderElectionID:              lease,
		LeaderElectionNamespace:       cfg.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends when Start returns
		GracefulShutdownTimeout:       new(stopTimeout),
	})
	if err != nil {
		return nil, err
	}
	for _, add := range []func(string, healthz.Checker) error{m.AddHealthzCheck, m.AddReadyzCheck} {
		if err := add("ping", healthz.Ping); err != nil {
			return nil, err
		}
	}
	return m, add(m, cfg)
}

// add puts the reconciler into a manager.
func add(m ctrl.Manager, cfg Config) error {
	r := &Reconciler{
		client: m.GetClient(), live: m.GetAPIReader(), cache: m.GetCache(),
		events: m.GetEventRecorder(FieldOwner), connections: cfg.Connections, release: cfg.Release, now: cfg.Now,
		metrics: metrics.New(cfg.Release),
		again:   make(chan event.GenericEvent),
	}
	if r.connections == nil {
		r.connections = newScraper()
	}
	if r.now == nil {
		r.now = time.Now
	}
	if err := register(r.metrics); err != nil {
		return err
	}
	var err error
	r.controller, err = controller.New("chatcluster", m, controller.Options{
		Reconciler: r, MaxConcurrentReconciles: concurrent, ReconciliationTimeout: passTimeout, SkipNameValidation: new(true),
	})
	if err != nil {
		return err
	}
	if err := addOptionals(m, cfg, r); err != nil {
		return err
	}
	return r.start()
}

// addOptionals has a reconciler find and watch optional APIs.
func addOptionals(m ctrl.Manager, cfg Config, r *Reconciler) error {
	asking, err := discovery.NewDiscoveryClientForConfigAndClient(m.GetConfig(), m.GetHTTPClient())
	if err != nil {
		return err
	}
	options := cacheOptions(cfg.Namespaces)
	options.ByObject, options.ReaderFailOnMissingInformer = nil, true
	options.Scheme, options.Mapper, options.HTTPClient = m.GetScheme(), m.GetRESTMapper(), m.GetHTTPClient()
	of, err := cache.New(m.GetConfig(), options)
	if err != nil {
		return err
	}
	r.optionals = &optionals{cache: of, controller: r.controller, listed: make(map[schemaKind]toolscache.InformerSynced)}
	r.finder = &finder{client: asking, watch: r.optionals.follow, changed: r.lookAtAll, every: cmp.Or(cfg.DiscoverEvery, discoverEvery)}
	return errors.Join(m.Add(of), m.Add(r.finder))
}

// register adds our series to those of controller-runtime. There is one registry per process, of which the operator that was
// made last has the say.
func register(m *metrics.Metrics) error {
	crmetrics.Registry.Unregister(m) // it is told apart by what it describes
	return crmetrics.Registry.Register(m)
}

// cacheOptions keeps in memory what is ours and no more (OP11): ChatClusters, and of all other kinds what has our label.
func cacheOptions(namespaces []string) cache.Options {
	ours := labels.SelectorFromSet(labels.Set{children.LabelManagedBy: children.ManagedBy})
	options := cache.Options{
		DefaultLabelSelector: ours,
		DefaultTransform:     slim,
		ByObject:             map[client.Object]cache.ByObject{&v1alpha1.ChatCluster{}: {Label: labels.Everything()}},
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = make(map[string]cache.Config)
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

func metricsOptions(cfg Config) metricsserver.Options {
	if orNone(cfg.MetricsAddress) == "0" {
		return metricsserver.Options{BindAddress: "0"}
	}
	return metricsserver.Options{
		BindAddress: cfg.MetricsAddress, SecureServing: true, FilterProvider: onlyReaders(cfg.Namespaces),
	}
}

func orNone(address string) string {
	if address == "" {
		return "0"
	}
	return address
}
