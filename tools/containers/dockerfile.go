package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/opencontainers/go-digest"
)

// dockerfiles are those of the repository, and whether the image needs a health check: Kubernetes does not look at it.
var dockerfiles = []struct {
	name    string
	healthy bool
}{
	{"Dockerfile", true},
	{"Dockerfile.operator", false},
}

// checkDockerfiles looks at each Dockerfile. A fault begins with the name of the file and the line.
func checkDockerfiles(ctx context.Context, root string) ([]string, error) {
	var all []string
	for _, file := range dockerfiles {
		faults, err := checkDockerfile(ctx, root, file.name, file.healthy)
		if err != nil {
			return nil, err
		}
		for _, fault := range faults {
			all = append(all, file.name+":"+fault)
		}
	}
	return all, nil
}

// checkDockerfile has BuildKit's own linter look at a Dockerfile, as docker build --check does, and adds what it does
// not look for: that what is copied is there and let in, and that the image has no root, no shell and a health check.
func checkDockerfile(ctx context.Context, root, name string, healthy bool) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return nil, err
	}
	faults, err := buildkitWarnings(ctx, name, text)
	if err != nil || len(faults) > 0 {
		return faults, err
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	ignored, err := ignoreRules(root)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, stage := range stages {
		faults = append(faults, checkStagesNamed(stage, names)...)
		names = append(names, stage.Name)
		copied, err := checkCopied(root, stage, ignored)
		if err != nil {
			return nil, err
		}
		faults = append(faults, copied...)
	}
	return append(faults, checkImage(stages[len(stages)-1], healthy)...), nil
}

func at(line int, format string, args ...any) string {
	return fmt.Sprintf("%d: ", line) + fmt.Sprintf(format, args...)
}

// noRegistry stands for the registry of base images: of each it knows the name only.
type noRegistry struct{}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (noRegistry) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	platform := platforms.DefaultSpec()
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	config := fmt.Appendf(nil, `{"architecture":%q,"os":%q,"config":{}}`, platform.Architecture, platform.OS)
	return ref, digest.FromBytes(config), config, nil
}

func buildkitWarnings(ctx context.Context, name string, text []byte) ([]string, error) {
	source := llb.NewSourceMap(nil, name, "Dockerfile", text)
	source.Definition = &llb.Definition{} // the file comes from no build
	results, err := dockerfile2llb.DockerfileLint(ctx, text, dockerfile2llb.ConvertOpt{MetaResolver: noRegistry{}, SourceMap: source})
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, w := range results.Warnings {
		line := 0
		if w.Location != nil && len(w.Location.Ranges) > 0 {
			line = int(w.Location.Ranges[0].Start.Line)
		}
		faults = append(faults, at(line, "%s: %s", w.RuleName, w.Detail))
	}
	if results.Error != nil {
		faults = append(faults, at(0, "it can't be built: %s", results.Error.Message))
	}
	return faults, nil
}

func ignoreRules(root string) (*patternmatcher.PatternMatcher, error) {
	text, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return patternmatcher.New(patterns)
}

// checkStagesNamed looks for the stages that a stage copies from: what is none would be an image from somewhere.
func checkStagesNamed(stage instructions.Stage, before []string) []string {
	var faults []string
	for _, command := range stage.Commands {
		if c, ok := command.(*instructions.CopyCommand); ok && c.From != "" && !slices.Contains(before, c.From) {
			faults = append(faults, at(c.Location()[0].Start.Line, "there is no stage %s to copy from", c.From))
		}
	}
	return faults
}

// checkCopied looks for the files that a stage copies from the repository.
func checkCopied(root string, stage instructions.Stage, ignored *patternmatcher.PatternMatcher) ([]string, error) {
	var faults []string
	for _, command := range stage.Commands {
		line := command.Location()[0].Start.Line
		if _, ok := command.(*instructions.AddCommand); ok {
			faults = append(faults, at(line, "ADD fetches and unpacks: use COPY"))
		}
		from, ok := command.(*instructions.CopyCommand)
		if !ok || from.From != "" {
			continue
		}
		for _, source := range from.SourcePaths {
			found, err := filepath.Glob(filepath.Join(root, source))
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				faults = append(faults, at(line, "%s is copied, and is not there", source))
			}
			if out, err := ignored.MatchesOrParentMatches(filepath.Clean(source)); err != nil {
				return nil, err
			} else if out {
				faults = append(faults, at(line, "%s is copied, but .dockerignore keeps it out", source))
			}
		}
	}
	return faults, nil
}

// image is what the last stage says of the image.
type image struct {
	user       string
	labels     map[string]bool
	entrypoint bool // a program of its own, without a shell
	healthy    bool // there is a health check, without a shell
}

func checkImage(last instructions.Stage, healthy bool) []string {
	i := image{labels: make(map[string]bool)}
	var faults []string
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			i.user = c.User
		case *instructions.LabelCommand:
			for _, label := range c.Labels {
				i.labels[label.Key] = true
			}
		case *instructions.EntrypointCommand:
			i.entrypoint = !c.PrependShell
		case *instructions.HealthCheckCommand:
			i.healthy = len(c.Health.Test) > 0 && c.Health.Test[0] == "CMD"
		case *instructions.RunCommand:
			faults = append(faults, at(c.Location()[0].Start.Line, "the image has no shell that could RUN anything"))
		}
	}
	end := last.Location[0].Start.Line
	// A name says nothing to Kubernetes' runAsNonRoot, and nothing stands in the image's /etc/passwd.
	if id, err := strconv.Atoi(strings.Split(i.user, ":")[0]); err != nil || id == 0 {
		faults = append(faults, at(end, "the image's USER is %q: name a number that is not 0", i.user))
	}
	if !i.entrypoint {
		faults = append(faults, at(end, "the image has no ENTRYPOINT of the form [\"program\"]"))
	}
	if healthy && !i.healthy {
		faults = append(faults, at(end, "the image has no HEALTHCHECK of the form CMD [\"program\"]"))
	}
	for _, label := range []string{"title", "description", "source", "licenses", "version"} {
		if !i.labels["org.opencontainers.image."+label] {
			faults = append(faults, at(end, "the image has no label org.opencontainers.image.%s", label))
		}
	}
	return faults
}
