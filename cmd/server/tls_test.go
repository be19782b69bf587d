package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/certtest"
	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
	"github.com/gochat-dev/gochat/internal/redistest"
)

// TestTLS has two nodes speak TLS with a Postgres and a Redis that let nobody in without, and that no authority of the
// machine's vouches for.
func TestTLS(t *testing.T) {
	files, err := certtest.Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pg, err := pgtest.Start(pgtest.Config{TLS: pgtest.TLS{Cert: files.Cert, Key: files.Key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, pg.Stop()) })
	rd, err := redistest.Start(redistest.Config{TLS: redistest.TLS{Cert: files.Cert, Key: files.Key, CA: files.CA}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, rd.Stop()) })
	plain, err := pg.Create(t.Context(), "gochat")
	must(t, err)
	at := func(query string) string {
		u, err := url.Parse(plain)
		must(t, err)
		u.RawQuery = query
		return u.String()
	}
	verified := at("sslmode=verify-full&sslrootcert=" + url.QueryEscape(files.CA))
	_, err = postgres.Migrate(context.Background(), verified)
	must(t, err)

	t.Run("a message goes from node to node", func(t *testing.T) {
		env := []string{"GOCHAT_POSTGRES_URL=" + verified, "GOCHAT_REDIS_URL=" + rd.URL(), "SSL_CERT_FILE=" + files.CA}
		a, b := start(t, t.TempDir(), env...), start(t, t.TempDir(), env...)
		token := a.someone("/auth/register")
		var room struct {
			ID string `json:"id"`
		}
		a.call(token, http.MethodPost, "/rooms", map[string]string{"name": "General", "visibility": "public"}, &room)
		near, far := a.dial(token), b.dial(token)
		heard := make(chan string, 1)
		welcomed := make(chan struct{})
		go func() {
			_ = objects(far, func(o object) { // ends with the test
				switch o.Type {
				case "welcome":
					close(welcomed)
				case "entry":
					heard <- o.Body
				}
			})
		}()
		<-welcomed
		must(t, send(near, room.ID, 1, "in secret"))
		if body := <-heard; body != "in secret" {
			t.Errorf("heard %q", body)
		}
		for _, p := range []*process{a, b} {
			if up := p.metric("gochat_backplane_up"); up != "1" {
				t.Errorf("gochat_backplane_up is %s", up)
			}
		}
	})
	t.Run("a Postgres that nobody vouches for is refused, and so is one without TLS where TLS is asked for", func(t *testing.T) {
		without := databases.New(t)
		for address, want := range map[string]string{
			at("sslmode=verify-full"): "certificate signed by unknown authority",
			at("sslmode=disable"):     "no encryption",
			strings.Replace(without, "sslmode=disable", "sslmode=require", 1): "server refused TLS connection",
		} {
			if said, err := runs(t, address); err == nil || !strings.Contains(said, want) {
				t.Errorf("%s: %v, %s", address, err, said)
			}
		}
	})
	t.Run("a Redis that nobody vouches for is not spoken to, and neither is one without TLS", func(t *testing.T) {
		plain, err := redistest.Start(redistest.Config{})
		must(t, err)
		t.Cleanup(func() { must(t, plain.Stop()) })
		for address, env := range map[string]string{
			rd.URL(): "SSL_CERT_DIR=/nowhere", // the authority is not known
			strings.Replace(rd.URL(), "rediss:", "redis:", 1):    "SSL_CERT_FILE=" + files.CA,
			strings.Replace(plain.URL(), "redis:", "rediss:", 1): "SSL_CERT_FILE=" + files.CA,
		} {
			p := start(t, t.TempDir(), "GOCHAT_POSTGRES_URL="+verified, "GOCHAT_REDIS_URL="+address, env)
			if up := p.metric("gochat_backplane_up"); up != "0" {
				t.Errorf("%s: gochat_backplane_up is %s", address, up)
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
