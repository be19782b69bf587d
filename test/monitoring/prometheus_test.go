package monitoring

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// target is where a Prometheus reads series, and the labels that it gives them.
type target struct {
	address string
	labels  map[string]string
	honor   bool // labels that the series bring count more
}

// prometheus is a running one.
type prometheus struct {
	*testing.T
	base string
}

var listensOn = regexp.MustCompile(`msg="Listening on".* address=([0-9.:]+)`)

// startPrometheus starts one that reads every second and has rules.
func startPrometheus(t *testing.T, rules any, targets map[string][]target) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatalf("%v: make setup installs it", err)
	}
	dir := t.TempDir()
	var scrape []map[string]any
	for job, list := range targets {
		var static []map[string]any
		honor := false
		for _, one := range list {
			static = append(static, map[string]any{"targets": []string{one.address}, "labels": one.labels})
			honor = one.honor
		}
		scrape = append(scrape, map[string]any{"job_name": job, "honor_labels": honor, "static_configs": static})
	}
	for name, content := range map[string]any{
		"rules.yaml": rules,
		"prometheus.yaml": map[string]any{
			"global":         map[string]string{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
			"rule_files":     []string{"rules.yaml"},
			"scrape_configs": scrape,
		},
	} {
		text, err := yaml.Marshal(content)
		no(t, err)
		no(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	cmd := exec.CommandContext(context.Background(), program, "--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	log, err := cmd.StderrPipe()
	no(t, err)
	no(t, cmd.Start())
	var reading sync.WaitGroup
	t.Cleanup(func() {
		no(t, cmd.Process.Signal(syscall.SIGTERM))
		reading.Wait() // before it is waited for, which closes what is read
		no(t, cmd.Wait())
	})
	listening, said := make(chan string, 1), ""
	reading.Go(func() {
		defer close(listening)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if m := listensOn.FindStringSubmatch(lines.Text()); m != nil {
				listening <- m[1]
				continue
			}
			said += lines.Text() + "\n"
		}
	})
	address, ok := <-listening
	if !ok {
		t.Fatalf("Prometheus does not listen:\n%s", said)
	}
	p := &prometheus{t, "http://" + address}
	p.await("Prometheus to be ready", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+"/-/ready", nil)
		no(t, err)
		res, err := http.DefaultClient.Do(req)
		no(t, err)
		no(t, res.Body.Close())
		return res.StatusCode == http.StatusOK
	})
	return p
}

// get asks Prometheus' interface, which says itself what it does not like.
func (p *prometheus) get(path string, out any) error {
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, p.base+"/api/v1/"+path, nil)
	no(p.T, err)
	res, err := http.DefaultClient.Do(req)
	no(p.T, err)
	defer func() { _ = res.Body.Close() }() // it has been read
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	no(p.T, json.NewDecoder(res.Body).Decode(&answer))
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", res.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, out)
}

// query returns the values of an expression.
func (p *prometheus) query(expr string) ([]float64, error) {
	var answer struct {
		Result []struct{ Value []any }
	}
	if err := p.get("query?query="+url.QueryEscape(expr), &answer); err != nil {
		return nil, err
	}
	values := make([]float64, 0, len(answer.Result))
	for _, r := range answer.Result {
		v, err := strconv.ParseFloat(r.Value[1].(string), 64)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// rule is how a rule fares.
type rule struct{ Name, Type, Query, Health, LastError, State string }

func (p *prometheus) rules() []rule {
	p.Helper()
	var answer struct {
		Groups []struct{ Rules []rule }
	}
	no(p.T, p.get("rules", &answer))
	var all []rule
	for _, g := range answer.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// patience is for a machine with much to do.
const patience = 60 * time.Second

// await asks until it is so.
func (p *prometheus) await(what string, isSo func() bool) {
	p.Helper()
	again := time.NewTicker(100 * time.Millisecond) // Prometheus tells nobody: it has to be asked
	defer again.Stop()
	deadline := time.After(patience)
	for !isSo() {
		select {
		case <-again.C:
		case <-deadline:
			p.Fatalf("in vain: %s", what)
		}
	}
}

// state is what an alert is: inactive, pending, firing.
func (p *prometheus) state(alert string) string {
	p.Helper()
	worst := ""
	for _, r := range p.rules() {
		if r.Name == alert && (worst == "" || r.State != "inactive") {
			worst = r.State
		}
	}
	return worst
}
