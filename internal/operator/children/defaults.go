package children

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// Defaulted is a copy of a ChatCluster with the defaults of its schema filled in, as the API server fills them.
func Defaulted(cluster *v1alpha1.ChatCluster) *v1alpha1.ChatCluster {
	c := cluster.DeepCopy()
	s := &c.Spec
	fill(&s.Profile, v1alpha1.ProfileSmall)
	fill(&s.DeletionPolicy, v1alpha1.DeletionRetain)
	fill(&s.NetworkPolicy, new(true))
	fill(&s.Monitoring, v1alpha1.MonitoringAuto)
	fill(&s.Server.Replicas, new(int32(1)))
	fill(&s.Server.DrainSeconds, 60)
	fill(&s.Server.Web, v1alpha1.WebEmbedded)
	fill(&s.Auth.Registration, v1alpha1.RegistrationOpen)
	fill(&s.Database.Type, v1alpha1.DatabaseManaged)
	fill(&s.Database.Storage.Size, new(resource.MustParse("2Gi")))
	fill(&s.Redis.Type, v1alpha1.RedisManaged)
	for _, external := range []**v1alpha1.ExternalSpec{&s.Database.External, &s.Redis.External} {
		fill(external, new(v1alpha1.ExternalSpec))
		fill(&(*external).Key, "uri")
	}
	if a := s.Autoscaling; a != nil {
		fill(&a.MinReplicas, 1)
		fill(&a.TargetConnections, 2000)
		fill(&a.Provider, v1alpha1.AutoscalingAuto)
		fill(&a.ScaleDownStabilizationSeconds, new(int32(600)))
	}
	if s.TLS != nil && s.TLS.IssuerRef != nil {
		fill(&s.TLS.IssuerRef.Kind, "ClusterIssuer")
	}
	if s.Backup != nil {
		fill(&s.Backup.Schedule, "0 3 * * *")
		fill(&s.Backup.Keep, 7)
	}
	return c
}

// fill sets what is not set.
func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
