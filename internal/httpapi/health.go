package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

const pingTimeout = 2 * time.Second

// health answers /livez (the process runs) and /readyz (it should get traffic): 200 or 503. The public port
// gives no detail.
type health struct {
	a      *API
	ready  bool
	detail bool
}

// check is one thing that readiness needs.
type check struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// detail is what the admin port tells.
type detail struct {
	Status  string           `json:"status"`
	Version string           `json:"version"`
	Checks  map[string]check `json:"checks"`
}

func (h health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	checks := map[string]check{}
	if h.ready {
		checks = h.a.readiness(r.Context())
	}
	status, word := http.StatusOK, "ok"
	for _, c := range checks {
		if !c.OK {
			status, word = http.StatusServiceUnavailable, "unavailable"
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	if !h.detail {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, word+"\n") // the client is gone: nothing to do
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body, err := json.Marshal(detail{Status: word, Version: h.a.cfg.Version, Checks: checks})
	if err != nil {
		panic(err) // plain structs of texts always encode
	}
	_, _ = w.Write(append(body, '\n')) // as above
}

func (a *API) readiness(ctx context.Context) map[string]check {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	checks := map[string]check{"store": {OK: true}, "staying": {OK: true}}
	if err := a.store.Ping(ctx); err != nil {
		checks["store"] = check{Error: err.Error()}
	}
	if a.draining.Load() {
		checks["staying"] = check{Error: "the node is leaving"}
	}
	return checks
}
