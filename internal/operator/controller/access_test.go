package controller

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/kubetest"
)

func testMetricsAccess(t *testing.T) {
	s := newStage(t)
	s.allow("operator-"+s.namespace, shipped(t)) // nothing of the whole cluster
	address := freeAddress(t)
	s.operate(func(c *Config) { c.MetricsAddress = address })
	s.create("chat")
	s.ready("chat")
	known, reader, local, elsewhere := s.token("known"), s.token("reader"), s.token("local"), s.token("elsewhere")
	user := "system:serviceaccount:" + s.namespace + ":reader"
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace + "-reader"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	other := kubetest.Namespace(t, s.cfg)
	objects := []client.Object{role, binding}
	for namespace, account := range map[string]string{s.namespace: "local", other: "elsewhere"} {
		objects = append(objects, &rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: namespace},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"gochat.dev"}, Resources: []string{"chatclusters/metrics"}, Verbs: []string{"get"}}},
		}, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: account}},
		})
	}
	for _, object := range objects {
		if err := s.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		token  string
		status int
	}{{"", 401}, {"made-up", 401}, {known, 403}, {elsewhere, 403}, {reader, 200}, {local, 200}} {
		status, body := scrape(t, address, c.token)
		if status != c.status {
			t.Errorf("with the token %.10q it answers %d: %s", c.token, status, body)
		}
		if c.status == 200 && !strings.Contains(body, `gochat_operator_chatclusters{condition="Ready",status="True"} 1`) {
			t.Errorf("the series are not there: %.300s", body)
		}
	}
}

// token is that of a ServiceAccount, which is made.
func (s *stage) token(name string) string {
	s.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
	if err := s.Create(s.Context(), account); err != nil {
		s.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{}
	if err := s.SubResource("token").Create(s.Context(), account, request); err != nil {
		s.Fatal(err)
	}
	return request.Status.Token
}

func scrape(t *testing.T, address, token string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	c := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// events are those of the namespace.
func (s *stage) events() []eventsv1.Event {
	s.Helper()
	var all eventsv1.EventList
	if err := s.List(s.Context(), &all, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	return all.Items
}
