package children

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/settings"
)

// Variables that others are made of, with $(NAME): they hold what is in Secrets, and are no settings.
const (
	postgresVariable = "POSTGRES_PASSWORD"
	redisVariable    = "REDIS_PASSWORD"
	postgresURL      = "POSTGRES_URL"
	redisURL         = "REDIS_URL"
)

// privateNetworks are where Ingress controllers and Gateways have their pods: RFC 1918, RFC 6598, RFC 4193, and this pod itself.
var privateNetworks = []string{
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7",
}

// settings are those of the servers that the operator sets. They are fields of the struct which the server reads, so that one
// that it doesn't read can't be written.
func (p part) settings() settings.Flags {
	spec := p.cluster.Spec
	f := settings.Flags{
		Listen:       ":" + strconv.Itoa(httpPort),
		AdminListen:  ":" + strconv.Itoa(adminPort),
		DataDir:      "/tmp/gochat", // nothing is kept there: the database is Postgres, the keys are a file
		JWTKeysFile:  keysFolder + "/" + keyJWKSet,
		Registration: string(registrations[spec.Auth.Registration]),
		Drain:        strconv.Itoa(int(spec.Server.DrainSeconds)) + "s",
		LogFormat:    string(settings.LogJSON),
	}
	if limit := p.sizes().serverConnections; limit > 0 && !p.ownResources() {
		f.MaxConnections = strconv.Itoa(limit)
	}
	if spec.Auth.Guests {
		f.Guests = "true"
	}
	if spec.Server.Web == v1alpha1.WebNone {
		f.Web = string(settings.WebNone)
	}
	if spec.TLS != nil { // else whoever is in front may still end TLS: the request says whether it was https
		f.PublicURL = "https://" + spec.Hostname
	}
	switch {
	case len(spec.Server.TrustedProxies) > 0:
		f.TrustedProxies = strings.Join(spec.Server.TrustedProxies, ",")
	case spec.Hostname != "":
		f.TrustedProxies = strings.Join(privateNetworks, ",")
	}
	switch spec.Database.Type {
	case v1alpha1.DatabaseManaged:
		f.PostgresURL = fmt.Sprintf("postgres://gochat:$(%s)@%s/gochat?sslmode=disable", postgresVariable, address(PostgresName(p.cluster.Name), postgresPort))
		if pool := p.sizes().postgresPool; pool > 0 {
			f.PostgresURL += "&pool_max_conns=" + strconv.Itoa(pool)
		}
	case v1alpha1.DatabaseExternal:
		f.PostgresURL = "$(" + postgresURL + ")"
	}
	switch spec.Redis.Type {
	case v1alpha1.RedisManaged:
		f.RedisURL = fmt.Sprintf("redis://:$(%s)@%s/0", redisVariable, address(RedisName(p.cluster.Name), redisPort))
	case v1alpha1.RedisExternal:
		f.RedisURL = "$(" + redisURL + ")"
	case v1alpha1.RedisNone:
	}
	return f
}

func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

var registrations = map[v1alpha1.Registration]settings.Registration{
	v1alpha1.RegistrationOpen:       settings.RegistrationOpen,
	v1alpha1.RegistrationInviteOnly: settings.RegistrationInvite,
	v1alpha1.RegistrationClosed:     settings.RegistrationClosed,
}

// secrets of the environment come first: $(NAME) is expanded only of what stands above.
func (p part) postgresSecretEnv() []*ac.EnvVarApplyConfiguration {
	if p.cluster.Spec.Database.Type == v1alpha1.DatabaseExternal {
		external := p.cluster.Spec.Database.External
		return []*ac.EnvVarApplyConfiguration{secretEnv(postgresURL, external.SecretName, external.Key)}
	}
	return []*ac.EnvVarApplyConfiguration{secretEnv(postgresVariable, PostgresName(p.cluster.Name), keyPassword)}
}

// ExternalDatabase is the external database that a ChatCluster wants; empty where it wants the managed one.
func ExternalDatabase(cluster *v1alpha1.ChatCluster) v1alpha1.ExternalSpec {
	if spec := Defaulted(cluster).Spec.Database; spec.Type == v1alpha1.DatabaseExternal {
		return *spec.External
	}
	return v1alpha1.ExternalSpec{}
}

// ExternalDatabaseOf is the external database that a pod of ours uses; empty where it uses the managed one.
func ExternalDatabaseOf(pod core.PodSpec) v1alpha1.ExternalSpec {
	for _, c := range pod.Containers {
		for _, v := range c.Env {
			if IsDatabaseVariable(v) {
				return v1alpha1.ExternalSpec{SecretName: v.ValueFrom.SecretKeyRef.Name, Key: v.ValueFrom.SecretKeyRef.Key}
			}
		}
	}
	return v1alpha1.ExternalSpec{}
}

// IsDatabaseVariable says whether a variable of a pod of ours says which external database it uses.
func IsDatabaseVariable(v core.EnvVar) bool {
	return v.Name == postgresURL && v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil
}

func (p part) redisSecretEnv() []*ac.EnvVarApplyConfiguration {
	switch p.cluster.Spec.Redis.Type {
	case v1alpha1.RedisManaged:
		return []*ac.EnvVarApplyConfiguration{secretEnv(redisVariable, RedisName(p.cluster.Name), keyPassword)}
	case v1alpha1.RedisExternal:
		external := p.cluster.Spec.Redis.External
		return []*ac.EnvVarApplyConfiguration{secretEnv(redisURL, external.SecretName, external.Key)}
	default:
		return nil
	}
}

// serverEnv is the environment of a server: secrets, settings, what Go should know of the memory, and what the ChatCluster
// adds. What it adds goes first where both name the same.
func (p part) serverEnv() ([]*ac.EnvVarApplyConfiguration, error) {
	all := append(p.postgresSecretEnv(), p.redisSecretEnv()...)
	for _, v := range p.settings().Environ() {
		all = append(all, env(v.Name, v.Value))
	}
	if limit := p.memoryLimit(); limit > 0 {
		all = append(all, env("GOMEMLIMIT", strconv.FormatInt(limit/100*goMemoryPercent, 10)))
	}
	for _, added := range p.cluster.Spec.Server.Env {
		variable, err := convert[ac.EnvVarApplyConfiguration](added)
		if err != nil {
			return nil, fmt.Errorf("spec.server.env %s: %w", added.Name, err)
		}
		all = with(all, variable)
	}
	return all, nil
}

// with is a list of variables with one more, in the place of that of the same name if there is one.
func with(all []*ac.EnvVarApplyConfiguration, one *ac.EnvVarApplyConfiguration) []*ac.EnvVarApplyConfiguration {
	for i, v := range all {
		if *v.Name == *one.Name {
			all[i] = one
			return all
		}
	}
	return append(all, one)
}

// goMemoryPercent of the container's memory is what Go collects its garbage for. The rest is for what Go doesn't count: the program
// itself and the buffers of the sockets.
const goMemoryPercent = 85

func (p part) memoryLimit() int64 {
	limit, ok := p.serverResources().Limits[core.ResourceMemory]
	if !ok {
		return 0
	}
	return limit.Value()
}

// ownResources says whether the ChatCluster says itself what a server may use.
func (p part) ownResources() bool {
	own := p.cluster.Spec.Server.Resources
	return len(own.Requests)+len(own.Limits) > 0
}

func (p part) serverResources() core.ResourceRequirements {
	if own := p.cluster.Spec.Server.Resources; p.ownResources() {
		return core.ResourceRequirements{Requests: own.Requests, Limits: own.Limits}
	}
	return p.sizes().server.requirements()
}

// migrationEnv is the environment of what works on the database only.
func (p part) migrationEnv() []*ac.EnvVarApplyConfiguration {
	f := settings.Flags{PostgresURL: p.settings().PostgresURL, LogFormat: string(settings.LogJSON)}
	all := p.postgresSecretEnv()
	for _, v := range f.Environ() {
		all = append(all, env(v.Name, v.Value))
	}
	return all
}

// convert makes an apply configuration of a part of the ChatCluster that is of a type of Kubernetes.
func convert[T any](of any) (*T, error) {
	raw, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	to := new(T)
	return to, json.Unmarshal(raw, to)
}
