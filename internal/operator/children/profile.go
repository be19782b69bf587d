package children

import (
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// size is what a container may use. Memory is reserved and limited alike, for what goes beyond its limit is killed and what
// isn't reserved may not be there. CPU is only shared out by what is reserved; it is limited where that is set, for a limit delays
// everybody's messages.
type size struct {
	cpu, memory string
	cpuLimit    string // empty: none
}

// sizes are the sizes of one profile, and the tuning that follows from them.
type sizes struct {
	server, postgres, redis, job size

	postgresBuffers, postgresCache, postgresWork, postgresMaintenance string
	postgresWAL                                                       string // at most between two checkpoints
	postgresConnections                                               int    // two pools of each server, and a few for jobs and people; fixed, for changing it restarts Postgres
	postgresPool                                                      int    // connections that a server writes by, and as many that it reads by; 0: its default, 8

	serverConnections int // of people, beyond which a server of this size refuses more; 0: no limit

	redisMemory  string // for data
	redisBacklog string // for a subscriber that reads slowly, before it is cut off
}

// profiles: the memory of Small, with 40Mi of the operator, is 256Mi together, its limits of CPU with 50m of the operator one CPU. It
// reserves so little of it that a single CPU has room for one more server, while they are replaced, and for the cluster's own pods.
var profiles = map[v1alpha1.Profile]sizes{
	v1alpha1.ProfileSmall: {
		server:   size{cpu: "150m", memory: "120Mi", cpuLimit: "600m"},
		postgres: size{cpu: "100m", memory: "82Mi", cpuLimit: "250m"},
		redis:    size{cpu: "25m", memory: "14Mi", cpuLimit: "100m"},
		job:      size{cpu: "100m", memory: "64Mi"},

		postgresBuffers: "12MB", postgresCache: "48MB", postgresWork: "1MB", postgresMaintenance: "8MB",
		postgresWAL: "128MB", postgresConnections: 40, postgresPool: 2,

		serverConnections: 6000,

		redisMemory: "6mb", redisBacklog: "2mb",
	},
	v1alpha1.ProfileStandard: {
		server:   size{cpu: "500m", memory: "512Mi"},
		postgres: size{cpu: "500m", memory: "768Mi"},
		redis:    size{cpu: "100m", memory: "96Mi"},
		job:      size{cpu: "100m", memory: "128Mi"},

		postgresBuffers: "192MB", postgresCache: "512MB", postgresWork: "4MB", postgresMaintenance: "64MB",
		postgresWAL: "1GB", postgresConnections: 250,

		redisMemory: "48mb", redisBacklog: "8mb",
	},
	v1alpha1.ProfileHA: {
		server:   size{cpu: "1", memory: "1Gi"},
		postgres: size{cpu: "1", memory: "2Gi"},
		redis:    size{cpu: "250m", memory: "256Mi"},
		job:      size{cpu: "250m", memory: "256Mi"},

		postgresBuffers: "512MB", postgresCache: "1400MB", postgresWork: "8MB", postgresMaintenance: "128MB",
		postgresWAL: "2GB", postgresConnections: 600,

		redisMemory: "128mb", redisBacklog: "32mb",
	},
}

func (p part) sizes() sizes { return profiles[p.cluster.Spec.Profile] }

// requirements are what a container of this size asks for.
func (s size) requirements() core.ResourceRequirements {
	cpu, memory := resource.MustParse(s.cpu), resource.MustParse(s.memory)
	r := core.ResourceRequirements{
		Requests: core.ResourceList{core.ResourceCPU: cpu, core.ResourceMemory: memory},
		Limits:   core.ResourceList{core.ResourceMemory: memory},
	}
	if s.cpuLimit != "" {
		r.Limits[core.ResourceCPU] = resource.MustParse(s.cpuLimit)
	}
	return r
}

func (s size) resources() *ac.ResourceRequirementsApplyConfiguration {
	r := s.requirements()
	return ac.ResourceRequirements().WithRequests(r.Requests).WithLimits(r.Limits)
}
