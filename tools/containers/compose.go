package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
)

const (
	composeName   = "compose.yaml"
	overrideName  = "compose.nodes.yaml"
	envExample    = ".env.example"
	filledIn      = "filledin"
	composeSchema = "it does not load: %v"
)

// checkCompose loads compose.yaml as docker compose does, alone and with its override, with .env filled in and without.
func checkCompose(ctx context.Context, root string) ([]string, error) {
	example, err := os.ReadFile(filepath.Join(root, envExample))
	if err != nil {
		return nil, err
	}
	env, err := dotenv.UnmarshalBytesWithLookup(example, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", envExample, err)
	}
	faults := checkExample(env)
	for _, files := range [][]string{{composeName}, {composeName, overrideName}} {
		name := files[len(files)-1]
		project, err := load(ctx, root, files, fill(env))
		if err != nil {
			faults = append(faults, name+": "+fmt.Sprintf(composeSchema, err))
			continue
		}
		for _, fault := range checkProject(project) {
			faults = append(faults, name+": "+fault)
		}
		for variable, value := range env {
			if value != "" {
				continue
			}
			less := fill(env)
			delete(less, variable)
			if _, err := load(ctx, root, files, less); err == nil || !strings.Contains(err.Error(), variable) {
				faults = append(faults, fmt.Sprintf("%s: without %s it should not load, and say so; got %v", name, variable, err))
			}
		}
	}
	return faults, nil
}

// checkExample: an example is no place for a password.
func checkExample(env map[string]string) []string {
	var faults []string
	for name, value := range env {
		if value != "" && slices.ContainsFunc([]string{"PASSWORD", "SECRET", "TOKEN"}, func(s string) bool { return strings.Contains(name, s) }) {
			faults = append(faults, fmt.Sprintf("%s: %s has a value", envExample, name))
		}
	}
	return faults
}

// fill is what a person makes of the example.
func fill(env map[string]string) map[string]string {
	filled := make(map[string]string, len(env))
	for name, value := range env {
		if value == "" {
			value = filledIn
		}
		filled[name] = value
	}
	return filled
}

func load(ctx context.Context, root string, files []string, env map[string]string) (*types.Project, error) {
	paths := make([]string, len(files))
	for i, name := range files {
		paths[i] = filepath.Join(root, name)
	}
	var environ []string
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	options, err := cli.NewProjectOptions(paths, cli.WithWorkingDirectory(root), cli.WithEnv(environ))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

func checkProject(project *types.Project) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		service := project.Services[name]
		fault := func(format string, args ...any) {
			faults = append(faults, name+": "+fmt.Sprintf(format, args...))
		}
		once := service.Restart == types.RestartPolicyNo
		if service.Restart == "" {
			fault("it does not say whether it restarts")
		}
		if !once && (service.HealthCheck == nil || service.HealthCheck.Disable || len(service.HealthCheck.Test) == 0) {
			fault("it has no health check")
		}
		if service.Deploy == nil || service.Deploy.Resources.Limits == nil || service.Deploy.Resources.Limits.MemoryBytes == 0 {
			fault("its memory has no limit")
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			fault("its processes may gain privileges")
		}
		if service.Privileged || service.NetworkMode == "host" {
			fault("it has the whole machine")
		}
		if service.Build == nil && !pinned(service.Image) {
			fault("the image %q names no version", service.Image)
		}
		if service.Build != nil && !service.ReadOnly {
			fault("its root can be written to")
		}
		for _, mount := range service.Volumes {
			if mount.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(mount.Source); err != nil {
				fault("it mounts what is not there: %v", err)
			}
		}
		for needed, how := range service.DependsOn {
			other, ok := project.Services[needed]
			if !ok {
				fault("it needs %s, which is not there", needed)
				continue
			}
			want := types.ServiceConditionHealthy
			if other.Restart == types.RestartPolicyNo {
				want = types.ServiceConditionCompletedSuccessfully
			}
			if how.Condition != want {
				fault("it waits for %s to be %q, not %q", needed, how.Condition, want)
			}
		}
	}
	return faults
}

// pinned: an image without a tag is another one tomorrow.
func pinned(image string) bool {
	_, tag, found := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return found && tag != "latest"
}
