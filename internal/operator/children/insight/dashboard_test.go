package insight_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/operator/children/insight"
)

// board is what we look at of a dashboard.
type board struct {
	UID, Title string
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type string
			Datasource source
			Definition string
			Current    struct{ Value string }
		}
	}
	Annotations struct {
		List []struct {
			Name, Expr string
			Datasource source
		}
	}
}

type source struct{ UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               source
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		RefID, Expr string
		Datasource  source
	}
}

func boardOf(t *testing.T) board {
	t.Helper()
	text, err := insight.DashboardOf(everything())
	if err != nil {
		t.Fatal(err)
	}
	var b board
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

const dataSource = "${datasource}"

func TestDashboardIsSound(t *testing.T) {
	b := boardOf(t)
	ids, taken, rows := make(map[int]bool), make(map[[2]int]string), 0
	for _, p := range b.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%q has the id %d of another", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.GridPos.X < 0 || p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%q stands outside of the 24 columns: %+v", p.Title, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, there := taken[[2]int{x, y}]; there {
					t.Fatalf("%q stands on %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows++
			continue
		}
		if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != dataSource || len(p.Targets) == 0 {
			t.Errorf("%q lacks a description, a unit, the data source or a target", p.Title)
		}
		refs := make(map[string]bool)
		for _, target := range p.Targets {
			if refs[target.RefID] || target.Datasource.UID != dataSource {
				t.Errorf("%q: target %q has the name of another, or another data source", p.Title, target.RefID)
			}
			refs[target.RefID] = true
		}
	}
	if rows < 4 {
		t.Errorf("it has %d rows: can people chat, how fast, what is full, what changed", rows)
	}
}

func TestDashboardIsOfOneChatCluster(t *testing.T) {
	b := boardOf(t)
	if b.Title != "GoChat team/chat" || len(b.UID) > 40 {
		t.Errorf("it is called %q, its address is %q", b.Title, b.UID)
	}
	another := everything()
	another.Namespace = "others"
	if text, err := insight.DashboardOf(another); err != nil || strings.Contains(text, b.UID) || strings.Contains(text, "team") {
		t.Errorf("two dashboards have one address, or one speaks of the other (%v)", err)
	}
	opensOn := make(map[string]string)
	for _, v := range b.Templating.List {
		opensOn[v.Name] = v.Current.Value
		if v.Type == "query" && v.Datasource.UID != dataSource {
			t.Errorf("the variable %s asks %q", v.Name, v.Datasource.UID)
		}
	}
	if _, there := opensOn["datasource"]; !there || opensOn["namespace"] != "team" || opensOn["chatcluster"] != "chat" {
		t.Errorf("its variables are %v", opensOn)
	}
	for _, a := range b.Annotations.List {
		if a.Datasource.UID != dataSource {
			t.Errorf("the annotation %s asks %q", a.Name, a.Datasource.UID)
		}
	}
	for where, expr := range expressionsOf(b) {
		for _, s := range selectors(expr) {
			if !strings.Contains(s.labels, `namespace="$namespace"`) || !strings.Contains(s.labels, "$chatcluster") {
				t.Errorf("%s looks at %s{%s}, which may be another's", where, s.metric, s.labels)
			}
		}
	}
}

// expressionsOf are the expressions of a dashboard by where they stand.
func expressionsOf(b board) map[string]string {
	all := make(map[string]string)
	for _, p := range b.Panels {
		for _, target := range p.Targets {
			all[p.Title+" "+target.RefID] = target.Expr
		}
	}
	for _, a := range b.Annotations.List {
		all["annotation "+a.Name] = a.Expr
	}
	return all
}

func TestDashboardAsksForSeriesThatThereAre(t *testing.T) {
	known := append(series(t), "ALERTS")
	b := boardOf(t)
	for where, expr := range expressionsOf(b) {
		checkSeries(t, where, expr, known)
	}
	inCall := regexp.MustCompile(`\(([a-z_]+)[{,]`)
	for _, v := range b.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := inCall.FindStringSubmatch(v.Definition)
		if m == nil || m[1] != "gochat_build_info" {
			t.Errorf("the variable %s is made from %s", v.Name, v.Definition)
		}
	}
}
