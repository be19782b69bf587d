package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

const root = "../.."

func TestTheFilesAreWell(t *testing.T) {
	faults, err := check(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// TestPlanted plants one fault after the other into a copy of the files.
func TestPlanted(t *testing.T) {
	for _, planted := range []struct{ file, old, new, want string }{
		{"Dockerfile", "RUN npm run build", "RNU npm run build", "unknown instruction: RNU"},
		{"Dockerfile", "FROM scratch", "FROM scratch as image", "FromAsCasing"},
		{"Dockerfile", "--from=web /src", "--from=wbe /src", "there is no stage wbe"},
		{"Dockerfile", "ENV GOCHAT_DATA_DIR=", "ENV DB_PASSWORD=hunter2 GOCHAT_DATA_DIR=", "SecretsUsedInArgOrEnv"},
		{"Dockerfile", "image.version=\"$VERSION\"", "image.version=\"$VERSOIN\"", "UndefinedVar"},
		{"Dockerfile", `ENTRYPOINT ["/gochat-server"]`, "ENTRYPOINT /gochat-server", "JSONArgsRecommended"},
		{"Dockerfile", `CMD ["/gochat-server", "healthcheck"]`, "CMD /gochat-server healthcheck", "no HEALTHCHECK"},
		{"Dockerfile", "USER 65532:65532\n", "", "USER is \"\""},
		{"Dockerfile", "USER 65532:65532", "USER 0:0", "USER is \"0:0\""},
		{"Dockerfile", "COPY internal internal", "COPY internals internal", "internals is copied, and is not there"},
		{"Dockerfile", "COPY cmd/server cmd/server", "COPY cmd/loadtest cmd/server", ".dockerignore keeps it out"},
		{"Dockerfile", "COPY internal internal", "ADD internal internal", "use COPY"},
		{"Dockerfile", "org.opencontainers.image.licenses", "licences", "no label org.opencontainers.image.licenses"},
		{"Dockerfile.operator", `ENTRYPOINT ["/gochat-operator"]`, "ENTRYPOINT /gochat-operator", "Dockerfile.operator:"},
		{"Dockerfile.operator", "USER 65532:65532", "USER operator", "USER is \"operator\""},
		{"Dockerfile.operator", "COPY api api", "COPY apis api", "apis is copied, and is not there"},
		{"Dockerfile.operator", "image.version=\"$VERSION\"", "image.version=\"$VERSOIN\"", "UndefinedVar"},
		{".dockerignore", "!api", "", "api is copied, but .dockerignore"},
		{".dockerignore", "!internal", "", "internal is copied, but .dockerignore"},
		{"compose.yaml", "    restart: unless-stopped\n    ports", "    restrat: unless-stopped\n    ports", "restrat"},
		{"compose.yaml", "{condition: service_completed_successfully}", "{condition: service_healthy}", "waits for migrate"},
		{"compose.yaml", "postgres:17-alpine", "postgres", "names no version"},
		{"compose.yaml", "redis:7.4-alpine", "redis:latest", "names no version"},
		{"compose.yaml", "./deploy/Caddyfile", "./deploy/Cadyfile", "mounts what is not there"},
		{"compose.yaml", "networks: [front, back]", "networks: [front, bakc]", "bakc"},
		{"compose.yaml", "${POSTGRES_PASSWORD:?is not set. See .env.example}", "${POSTGRES_PASSWORD:-gochat}", "without POSTGRES_PASSWORD"},
		{"compose.yaml", "cpus: \"1\", memory: 192M", "cpus: \"1\"", "memory has no limit"},
		{"compose.nodes.yaml", "service: node}", "service: nod}", "nod"},
		{"compose.nodes.yaml", "node2: {condition", "node3: {condition", "node3"},
		{".env.example", "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=hunter2", "POSTGRES_PASSWORD has a value"},
	} {
		t.Run(planted.file+" "+planted.new, func(t *testing.T) {
			copied := copyFiles(t)
			path := filepath.Join(copied, planted.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), planted.old) {
				t.Fatalf("%s does not contain %q", planted.file, planted.old)
			}
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), planted.old, planted.new)), 0o600); err != nil {
				t.Fatal(err)
			}
			faults, err := check(t.Context(), copied)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(faults, "\n"), planted.want) {
				t.Errorf("found %q, want %q", faults, planted.want)
			}
		})
	}
}

// copyFiles copies what is checked, and puts empty folders where the Dockerfile's sources are.
func copyFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"Dockerfile", "Dockerfile.operator", ".dockerignore", "compose.yaml", "compose.nodes.yaml", ".env.example", "deploy/Caddyfile",
		"go.mod", "go.sum", "web/package.json", "web/package-lock.json", "web/.npmrc", "web/embed.go",
	} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"api", "cmd/server", "cmd/operator", "cmd/loadtest", "internal"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheSecondNodeIsLikeTheFirst(t *testing.T) {
	project, err := load(t.Context(), root, []string{composeName, overrideName}, map[string]string{"CHAT_DOMAIN": "chat.example.com", "POSTGRES_PASSWORD": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	one, two := project.Services["node"], project.Services["node2"]
	for name, value := range one.Environment {
		if other := two.Environment[name]; other == nil || *other != *value {
			t.Errorf("%s is %s on one and %v on the other", name, *value, other)
		}
	}
	if one.Image != two.Image || len(two.Networks) != len(one.Networks) || !two.ReadOnly {
		t.Errorf("the second is %+v", two)
	}
	for name, how := range one.DependsOn {
		if two.DependsOn[name].Condition != how.Condition {
			t.Errorf("the second does not wait for %s", name)
		}
	}
	if drain := *two.Environment["GOCHAT_DRAIN"]; drain != "25s" {
		t.Errorf("it drains for %s", drain)
	}
	if got := *project.Services["caddy"].Environment["CHAT_NODES"]; got != "node:8080 node2:8080" {
		t.Errorf("Caddy's nodes are %s", got)
	}
	if got := project.Services["caddy"].DependsOn; got["node2"].Condition != types.ServiceConditionHealthy || got["node"].Condition != types.ServiceConditionHealthy {
		t.Errorf("Caddy waits for %v", got)
	}
}
