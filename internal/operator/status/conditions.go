package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// available: somebody who opens the chat now is let in by a server.
func (v view) available() check {
	switch s := v.Servers; {
	case s == nil && v.Spec.Hibernate:
		return no("Hibernated", "no server is to run")
	case s == nil:
		return no("NoServers", "there is no server yet")
	case s.Ready > 0 && v.Endpoints > 0:
		return yes("ServersReady", fmt.Sprintf("%d of %s connections", s.Ready, many(s.Wanted, "server takes", "servers take")))
	case s.Ready > 0:
		return no("NoEndpoints", "servers are ready, and the Service "+v.Name+" leads to none of them yet")
	case s.Wanted == 0 && v.Spec.Hibernate:
		return no("Hibernated", "no server is to run")
	case s.Wanted == 0:
		return no("ScaledToZero", "spec.server.replicas is 0: scale it up")
	default:
		return no("NoServerReady", because("no server is ready", s.Trouble))
	}
}

// upToDate: each part is of this generation, and nothing is left of the one before.
func (v view) upToDate() check {
	switch s := v.Servers; {
	case v.Waiting:
		return no("Paused", "changes of the spec wait until paused is false")
	case len(v.Faults) > 0:
		return no(v.Faults[0].Reason, v.Faults[0].String())
	case v.Failed != "":
		return no("ApplyFailed", "it is tried again: "+v.Failed)
	case v.Spec.Hibernate && (s == nil || s.settled()):
		return yes("Hibernated", "no server runs, as is wanted")
	case !v.Schema.Current:
		return no("WaitingForSchema", "new servers start when the schema is current: see SchemaCurrent")
	case len(v.Missing) > 0:
		return no("Applying", "being made: "+list(v.Missing))
	case s == nil:
		return no("Applying", "there is no server yet")
	case s.Stuck:
		return no("RollStuck", because(fmt.Sprintf("only %d of %s what is wanted, and it gets no further", s.Updated, many(s.Wanted, "server runs", "servers run")), s.Trouble))
	case !s.settled():
		return no("Rolling", because(fmt.Sprintf("%d of %s what is wanted, %d are ready, %d are there",
			s.Updated, many(s.Wanted, "server runs", "servers run"), s.Ready, s.Replicas), s.Trouble))
	case v.Spec.Database.Type == v1alpha1.DatabaseManaged && !v.Database.settled():
		return no("Rolling", because("Postgres is being made what is wanted", v.Database.trouble()))
	case v.Spec.Redis.Type == v1alpha1.RedisManaged && !v.Redis.settled():
		return no("Rolling", because("Redis is being made what is wanted", v.Redis.trouble()))
	default:
		return yes("RolledOut", many(s.Wanted, "server runs", "servers run")+" "+v.Image+v.rotates())
	}
}

func (v view) rotates() string {
	if v.Rotates.IsZero() {
		return ""
	}
	return "; the keys of access tokens will rotate at " + v.Rotates.UTC().Format(time.RFC3339)
}

func (v view) schemaCurrent() check {
	s := v.Schema
	switch {
	case s.Image == "":
		return unsure("NotLookedAt", "nothing has been looked at while paused: set paused to false")
	case !s.Restored && s.Failed:
		return no("RestoreFailed", because("the backup could not be restored; delete the Job "+v.Name+"-restore to have it tried again", s.Message))
	case !s.Restored && s.Stuck:
		return no("RestoreStuck", because("the pod that restores the backup can't start", s.Message))
	case !s.Restored:
		return no("Restoring", because("the backup is being restored", s.Message))
	case s.Current:
		return yes("Migrated", "the schema is what "+s.Image+" needs")
	case s.Failed:
		return no("MigrationFailed", because("the migration for "+s.Image+
			" failed, and the servers before it go on; set another image, or delete the failed Job to have it tried again", s.Message))
	case s.Stuck:
		return no("MigrationStuck", because("the pod of the migration for "+s.Image+" can't start, and the servers before it go on", s.Message))
	case v.Spec.Hibernate:
		return no("Hibernated", "the migration for "+s.Image+" waits for the database to wake")
	default:
		return no("Migrating", because("the schema is being made what "+s.Image+" needs", s.Message))
	}
}

func (v view) paused() check {
	switch {
	case !v.Spec.Paused:
		return no("NotPaused", "changes of the spec are carried out")
	case v.untouched():
		return yes("ChangesWait", neverCarriedOut)
	case v.Waiting:
		return yes("ChangesWait", "the spec has changed since it was carried out last; set paused to false to carry it out")
	default:
		return yes("Paused", "no change waits")
	}
}

func (v view) hibernated() check {
	if !v.Spec.Hibernate {
		return no("Awake", "hibernate is false")
	}
	for _, part := range []*Workload{v.Servers, v.Database, v.Redis} {
		if part != nil && (part.Replicas > 0 || part.Wanted > 0 || !part.Current) {
			return no("Stopping", "not everything has stopped yet")
		}
	}
	if v.Left > 0 {
		return no("Stopping", many(int32(v.Left), "pod has", "pods have")+" not stopped yet")
	}
	return yes("Stopped", "servers, database and Redis are stopped; data and credentials are there")
}

func (v view) highlyAvailable() check {
	var single []string
	if v.Spec.Database.Type == v1alpha1.DatabaseManaged {
		single = append(single, "the database")
	}
	if v.Spec.Redis.Type == v1alpha1.RedisManaged {
		single = append(single, "Redis")
	}
	switch {
	case v.Servers == nil || v.Servers.Ready < 2:
		return no("SingleInstance", "fewer than two servers are ready")
	case len(single) > 0:
		return no("SingleInstance", strings.Join(single, " and ")+" of type Managed run once: while one restarts, the chat waits for it")
	case v.Nodes < 2:
		return no("SingleNode", "all servers that are ready run on one node")
	default:
		return yes("Spread", fmt.Sprintf("%d servers are ready on %d nodes; database and Redis are as available as who runs them makes them", v.Servers.Ready, v.Nodes))
	}
}

// because adds why, if that is known.
func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + " (" + why + ")"
}

func many(n int32, one, several string) string {
	if n == 1 {
		return fmt.Sprint("1 ", one)
	}
	return fmt.Sprint(n, " ", several)
}

// list names the first few.
func list(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
