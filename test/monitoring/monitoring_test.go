package monitoring

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children/insight"
	operator "github.com/gochat-dev/gochat/internal/operator/metrics"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

func chatCluster() *v1alpha1.ChatCluster {
	return &v1alpha1.ChatCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "chat"},
		Spec: v1alpha1.ChatClusterSpec{
			Hostname: "chat.example.com", TLS: &v1alpha1.TLSSpec{SecretName: "certificate"},
			Database: v1alpha1.DatabaseSpec{Type: v1alpha1.DatabaseManaged},
			Backup:   &v1alpha1.BackupSpec{Schedule: "0 3 * * *", Keep: 7},
		},
	}
}

// others serves the series of those who are not here: an operator that finds all well, and a kubelet.
func others(t *testing.T) (operatorAt, kubeletAt string) {
	t.Helper()
	series := operator.New("test")
	status := v1alpha1.ChatClusterStatus{Replicas: 2, ReadyReplicas: 2, LastBackupTime: new(metav1.Now())}
	for _, c := range []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionAvailable, v1alpha1.ConditionUpToDate, v1alpha1.ConditionSchemaCurrent,
		v1alpha1.ConditionExposed, v1alpha1.ConditionBackupHealthy,
	} {
		status.Conditions = append(status.Conditions, metav1.Condition{Type: c, Status: metav1.ConditionTrue, Reason: "AsWanted"})
	}
	for _, c := range []string{v1alpha1.ConditionPaused, v1alpha1.ConditionHibernated} {
		status.Conditions = append(status.Conditions, metav1.Condition{Type: c, Status: metav1.ConditionFalse, Reason: "NotAsked"})
	}
	series.Set(types.NamespacedName{Namespace: "team", Name: "chat"}, operator.Facts{
		Status: status, Reconciled: time.Now(), CertificateExpiry: time.Now().Add(60 * 24 * time.Hour),
	})
	ofOperator := client.NewRegistry()
	ofOperator.MustRegister(series)
	ofKubelet := client.NewRegistry()
	for name, value := range map[string]float64{"kubelet_volume_stats_used_bytes": 1, "kubelet_volume_stats_capacity_bytes": 10} {
		g := client.NewGaugeVec(client.GaugeOpts{Name: name}, []string{"namespace", "persistentvolumeclaim"})
		g.WithLabelValues("team", "chat-postgres").Set(value)
		ofKubelet.MustRegister(g)
	}
	serve := func(r *client.Registry) string {
		s := httptest.NewServer(promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	return serve(ofOperator), serve(ofKubelet)
}

// person is somebody who is connected.
type person struct {
	node  node
	token string
	conn  *websocket.Conn
}

func connect(t *testing.T, n node, name string) *person {
	t.Helper()
	var grant struct {
		Token string `json:"access_token"`
	}
	n.call(t, "", http.MethodPost, "/auth/register", map[string]string{"username": name, "password": "a long password"}, &grant)
	p := &person{node: n, token: grant.Token}
	p.dial(t)
	return p
}

func (p *person) dial(t *testing.T) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"gochat.v1", "gochat.bearer." + p.token}}
	conn, res, err := d.DialContext(t.Context(), "ws"+p.node.base[len("http"):]+"/api/v1/ws", nil)
	no(t, err)
	no(t, res.Body.Close())
	p.conn = conn
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
}

// hears reads until a message comes.
func (p *person) hears(t *testing.T, body string) {
	t.Helper()
	for {
		_, frame, err := p.conn.ReadMessage()
		no(t, err)
		if strings.Contains(string(frame), body) {
			return
		}
	}
}

// talk has two people on two nodes talk, and one of them lose the connection.
func talk(t *testing.T, nodes []node) {
	t.Helper()
	ann, bob := connect(t, nodes[0], "ann"), connect(t, nodes[1], "bob")
	var room struct{ ID string }
	ann.node.call(t, ann.token, http.MethodPost, "/rooms", map[string]string{"name": "Room", "visibility": "public"}, &room)
	var joined json.RawMessage
	bob.node.call(t, bob.token, http.MethodPost, "/rooms/"+room.ID+"/join", struct{}{}, &joined)
	for i := range 20 {
		body := fmt.Sprintf("message %d of them", i)
		var sent json.RawMessage
		ann.node.call(t, ann.token, http.MethodPost, "/rooms/"+room.ID+"/messages", map[string]string{"body": body}, &sent)
		bob.hears(t, body)
	}
	no(t, bob.conn.Close())
	bob.dial(t)
}

// seldom are expressions that have no value while nothing changes.
var seldom = []string{"annotation Starts", "annotation Updates"}

func TestEveryExpressionHasItsSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs servers and a Prometheus for half a minute")
	}
	chat := startNodes(t, 2)
	nodes := chat.all
	operatorAt, kubeletAt := others(t)
	rules, err := insight.RulesOf(chatCluster())
	no(t, err)
	of := func(pod string) map[string]string {
		return map[string]string{"namespace": "team", insight.ClusterLabel: "chat", "pod": pod}
	}
	p := startPrometheus(t, rules, map[string][]target{
		"team/chat": {{address: nodes[0].admin, labels: of("chat-server-a")}, {address: nodes[1].admin, labels: of("chat-server-b")}},
		"operator":  {{address: operatorAt, labels: map[string]string{"namespace": "gochat-system"}}},
		"kubelet":   {{address: kubeletAt, labels: map[string]string{"namespace": "kube-system"}, honor: true}},
	})
	p.awaitScrapes(3) // a rate is told from two
	talk(t, nodes)
	p.awaitScrapes(6)
	p.checkRules(rules)
	p.checkDashboard()

	// And then all is not well.
	no(t, chat.redis.Kill())
	p.await("an alert that Redis is away", func() bool { return p.state("GoChatBackplaneDown") == "pending" })
	p.await("no alert that the database is away", func() bool { return p.state("GoChatStoreDown") == "inactive" })
	no(t, chat.database.End(pgtest.Immediate))
	p.await("an alert that the database is away", func() bool { return p.state("GoChatStoreDown") == "pending" })
}

// awaitScrapes waits until every target has been read so often.
func (p *prometheus) awaitScrapes(times float64) {
	p.Helper()
	p.await(fmt.Sprintf("%v scrapes of every target", times), func() bool {
		values, err := p.query(`min(sum_over_time(up[5m]))`)
		no(p.T, err)
		all, err := p.query(`count(up)`)
		no(p.T, err)
		return len(values) == 1 && len(all) == 1 && all[0] == 4 && values[0] >= times
	})
}

var (
	selector = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\{[^}]*\}`)
	status   = regexp.MustCompile(`,status="[A-Za-z]*"`)
	reasons  = regexp.MustCompile(`reason[=!]~"([A-Za-z|]*)"`)
)

// ofBusyMachines are alerts that a machine with much else to do may bring near to firing.
var ofBusyMachines = []string{"GoChatSendsSlow", "GoChatDeliveriesSlow", "GoChatBusLag", "GoChatDown", "GoChatBackplaneDown", "GoChatStoreDown"}

// checkRules: none errs, each looks at series that are there, and while all is well none is about to fire.
func (p *prometheus) checkRules(want insight.Rules) {
	p.Helper()
	count := 0
	for _, g := range want.Groups {
		count += len(g.Rules)
	}
	p.await("every rule evaluated", func() bool {
		done := 0
		for _, r := range p.rules() {
			if r.Health != "unknown" {
				done++
			}
		}
		return done == count
	})
	for _, r := range p.rules() {
		if r.Health != "ok" || r.LastError != "" {
			p.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
		}
		if r.Type == "alerting" && r.State != "inactive" && (r.State == "firing" || !slices.Contains(ofBusyMachines, r.Name)) {
			p.Errorf("%s is %s, and all is well", r.Name, r.State)
		}
	}
	for _, g := range want.Groups {
		for _, r := range g.Rules {
			for _, s := range selector.FindAllString(r.Expr, -1) {
				if named := reasons.FindStringSubmatch(s); named != nil {
					p.givesReasons(r.Alert, strings.Split(named[1], "|"))
				}
				p.hasData(r.Alert+r.Record, reasons.ReplaceAllString(status.ReplaceAllString(s, ""), `reason!=""`))
			}
		}
	}
}

// givesReasons: the operator says what an alert asks for. A condition has one reason at a time: most are not there while all is well.
func (p *prometheus) givesReasons(alert string, names []string) {
	p.Helper()
	source, err := os.ReadFile("../../internal/operator/status/conditions.go")
	no(p.T, err)
	for _, name := range names {
		if !strings.Contains(string(source), fmt.Sprintf("(%q,", name)) {
			p.Errorf("%s asks for the reason %s, which no condition gives", alert, name)
		}
	}
}

// checkDashboard: no expression of it errs, and all but the seldom have values.
func (p *prometheus) checkDashboard() {
	p.Helper()
	text, err := insight.DashboardOf(chatCluster())
	no(p.T, err)
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
		Annotations struct {
			List []struct{ Name, Expr string }
		}
	}
	no(p.T, json.Unmarshal([]byte(text), &board))
	expressions := make(map[string]string)
	for _, panel := range board.Panels {
		for _, one := range panel.Targets {
			expressions[panel.Title+" "+one.RefID] = one.Expr
		}
	}
	for _, a := range board.Annotations.List {
		expressions["annotation "+a.Name] = a.Expr
	}
	if len(expressions) < 30 {
		p.Fatalf("there are %d expressions", len(expressions))
	}
	filledIn := strings.NewReplacer("$namespace", "team", "$chatcluster", "chat", "$__rate_interval", "5m") // longer than this test
	for where, expr := range expressions {
		expr = filledIn.Replace(expr)
		if slices.Contains(seldom, where) {
			_, err := p.query(expr)
			no(p.T, err)
			continue
		}
		p.hasData(where, expr)
	}
}

func (p *prometheus) hasData(where, expr string) {
	p.Helper()
	p.await(where+" to have data: "+expr, func() bool { // a scrape that took too long hides the series until the next one
		values, err := p.query(expr)
		if err != nil {
			p.Fatalf("%s: %s: %v", where, expr, err)
		}
		return slices.ContainsFunc(values, func(v float64) bool { return !math.IsNaN(v) })
	})
}
