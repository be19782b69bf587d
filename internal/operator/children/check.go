package children

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

var clusterName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// Check says everything that the schema of ChatCluster would refuse of what children depend on, where no API server has
// looked at it. It is not all that an API server refuses: package schema knows that, for programs that may be larger.
func Check(cluster *v1alpha1.ChatCluster) error {
	c := Defaulted(cluster)
	f := &faults{}
	f.name(c.Name)
	f.words(&c.Spec)
	f.numbers(&c.Spec)
	f.together(&c.Spec)
	return errors.Join(f.all...)
}

// faults gathers what is wrong.
type faults struct {
	all []error
}

func (f *faults) unless(good bool, format string, args ...any) {
	if !good {
		f.all = append(f.all, fmt.Errorf(format, args...))
	}
}

func (f *faults) name(name string) {
	f.unless(name != "", "metadata.name is missing")
	f.unless(len(name) <= 40, "the name may have at most 40 characters: names of other objects are made from it")
	f.unless(name == "" || clusterName.MatchString(name),
		"the name must begin with a letter and hold only small letters, digits and dashes: the Service has it too")
	f.unless(!strings.HasSuffix(name, "-postgres") && !strings.HasSuffix(name, "-redis"),
		"the name must not end in -postgres or -redis: Services of other ChatClusters are called so")
}

// words are fields that hold one of a few words.
func (f *faults) words(s *v1alpha1.ChatClusterSpec) {
	word(f, "profile", s.Profile, v1alpha1.ProfileSmall, v1alpha1.ProfileStandard, v1alpha1.ProfileHA)
	word(f, "deletionPolicy", s.DeletionPolicy, v1alpha1.DeletionRetain, v1alpha1.DeletionDelete)
	word(f, "monitoring", s.Monitoring, v1alpha1.MonitoringAuto, v1alpha1.MonitoringEnabled, v1alpha1.MonitoringDisabled)
	word(f, "server.web", s.Server.Web, v1alpha1.WebEmbedded, v1alpha1.WebNone)
	word(f, "auth.registration", s.Auth.Registration, v1alpha1.RegistrationOpen, v1alpha1.RegistrationInviteOnly, v1alpha1.RegistrationClosed)
	word(f, "database.type", s.Database.Type, v1alpha1.DatabaseManaged, v1alpha1.DatabaseExternal)
	word(f, "redis.type", s.Redis.Type, v1alpha1.RedisManaged, v1alpha1.RedisExternal, v1alpha1.RedisNone)
}

func word[T ~string](f *faults, field string, value T, values ...T) {
	f.unless(slices.Contains(values, value), "spec.%s is %q: choose one of %v", field, value, values)
}

func (f *faults) numbers(s *v1alpha1.ChatClusterSpec) {
	between := func(field string, value, least, most int32) {
		f.unless(least <= value && value <= most, "spec.%s is %d: give %d to %d", field, value, least, most)
	}
	between("server.replicas", *s.Server.Replicas, 0, 100)
	between("server.drainSeconds", s.Server.DrainSeconds, 5, 3600)
	if a := s.Autoscaling; a != nil {
		between("autoscaling.minReplicas", a.MinReplicas, 1, 100)
		between("autoscaling.maxReplicas", a.MaxReplicas, 1, 100)
		f.unless(a.MinReplicas <= a.MaxReplicas, "autoscaling.minReplicas must not be more than autoscaling.maxReplicas")
	}
	if b := s.Backup; b != nil {
		between("backup.keep", b.Keep, 1, 1000)
	}
	f.unless(s.Database.Storage.Size.Sign() > 0, "database.storage.size must be more than 0, such as 2Gi")
}

// together are fields that need, or exclude, each other.
func (f *faults) together(s *v1alpha1.ChatClusterSpec) {
	alone := s.Redis.Type == v1alpha1.RedisNone
	f.unless(!alone || *s.Server.Replicas <= 1, "redis.type None needs server.replicas 0 or 1: two servers find each other through Redis")
	f.unless(!alone || s.Autoscaling == nil, "redis.type None can't be combined with autoscaling: two servers find each other through Redis")
	f.unless(s.Gateway == nil || s.Hostname != "", "gateway needs a hostname: set spec.hostname to the name that people type")
	f.unless(s.TLS == nil || s.Hostname != "", "tls needs a hostname: set spec.hostname to the name that the certificate is for")
	f.unless(s.TLS == nil || (s.TLS.IssuerRef != nil) != (s.TLS.SecretName != ""), "tls needs exactly one of issuerRef and secretName")
	_, err := netip.ParseAddr(s.Hostname)
	f.unless(err != nil, "hostname must be a name, not an address: neither an Ingress nor an HTTPRoute takes one")
	f.external("database", s.Database.Type == v1alpha1.DatabaseExternal, s.Database.External)
	f.external("redis", s.Redis.Type == v1alpha1.RedisExternal, s.Redis.External)
}

func (f *faults) external(field string, wanted bool, external *v1alpha1.ExternalSpec) {
	f.unless(!wanted || external.SecretName != "", "%[1]s.type External needs %[1]s.external.secretName: the Secret that holds the URL", field)
	f.unless(wanted || external.SecretName == "",
		"%[1]s.external.secretName is for %[1]s.type External only: set the type, or take the name away", field)
}
