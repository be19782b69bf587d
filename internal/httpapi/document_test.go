package httpapi_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/gochat-dev/gochat/internal/httpapi"
)

var update = flag.Bool("update", false, "write the generated files instead of comparing them")

// TestDocumentIsCommitted holds api/openapi.json, from which the web app's client is generated, to what the
// handlers say. `make generate` writes it.
func TestDocumentIsCommitted(t *testing.T) {
	const path = "../../api/openapi.json"
	got, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll("../../api", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if served := newServer(t, serverConfig{}).api.OpenAPI(); !bytes.Equal(got, served) {
		t.Error("a server serves another document than the one that is written to the file")
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, committed) {
		t.Error("api/openapi.json is not what the handlers say: run `make generate`")
	}
}
