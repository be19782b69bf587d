package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/checker"
	"github.com/gochat-dev/gochat/internal/postgres"
	"github.com/gochat-dev/gochat/internal/session"
)

// site is a ChatCluster, and the people who use it.
type site struct {
	t               *testing.T
	namespace, name string

	address checker.Address // of its Service
	people  []person
	rooms   []string // all of them are in each
	history *checker.History
	crowd   *checker.Crowd
}

// person is somebody with an account. All have the same password.
type person struct{ id, username, token string }

const password = "a long password"

// newChat applies a ChatCluster of this spec in a namespace of its own, and waits until it is ready.
func newChat(t *testing.T, spec v1alpha1.ChatClusterSpec) *site {
	t.Helper()
	c := &site{t: t, namespace: newNamespace(t, "chat"), name: "chat"}
	c.create(spec)
	return c
}

// proves runs what proves a rule, as a test of its own. What comes after it builds on it.
func (c *site) proves(title string, what func()) {
	c.t.Helper()
	whole := c.t
	defer func() { c.t = whole }()
	if !whole.Run(title, func(t *testing.T) { c.t = t; what() }) {
		whole.FailNow()
	}
}

// create applies the ChatCluster, and waits until it is ready.
func (c *site) create(spec v1alpha1.ChatClusterSpec) {
	c.t.Helper()
	if spec.Server.Image == "" {
		spec.Server.Image = *serverImage
	}
	must(c.t, kube.Create(c.t.Context(), &v1alpha1.ChatCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name}, Spec: spec,
	}))
	took := c.ready()
	c.t.Logf("FIGURE from apply to Ready: %v", took.Round(100*time.Millisecond))
	c.proves("[OP8] Ready says that the server answers", func() {
		server := checker.Address(net.JoinHostPort(c.pod("server").Status.PodIP, "8080"))
		_, err := server.Call("", http.MethodGet, "/instance", nil, nil)
		must(c.t, err)
	})
	var service corev1.Service
	must(c.t, kube.Get(c.t.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name}, &service))
	c.address = checker.Address(net.JoinHostPort(service.Spec.ClusterIP, fmt.Sprint(service.Spec.Ports[0].Port)))
	c.reached()
}

// reached waits until the Service leads to the servers: a node's kube-proxy hears of them when the operator does, and takes its
// time.
func (c *site) reached() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		_, err := c.address.Call("", http.MethodGet, "/instance", nil, nil)
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			c.t.Fatalf("the Service does not lead to the chat: %v", err)
		}
	}
}

// ready waits until the chat is as its spec wants it.
func (c *site) ready() time.Duration {
	c.t.Helper()
	return awaitChat(c.t, c, "ready", 4*time.Minute, func(cc *v1alpha1.ChatCluster) bool {
		return condition(cc, "Ready", metav1.ConditionTrue) && cc.Status.ObservedGeneration == cc.Generation
	})
}

// change changes the spec.
func (c *site) change(how func(*v1alpha1.ChatClusterSpec)) {
	c.t.Helper()
	cc := c.get()
	before := cc.DeepCopy()
	how(&cc.Spec)
	must(c.t, kube.Patch(c.t.Context(), cc, client.MergeFrom(before)))
}

func (c *site) get() *v1alpha1.ChatCluster {
	c.t.Helper()
	var cc v1alpha1.ChatCluster
	must(c.t, kube.Get(c.t.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name}, &cc))
	return &cc
}

// parts selects the pods of a part of the chat.
func (c *site) parts(component string) []client.ListOption {
	return []client.ListOption{
		client.InNamespace(c.namespace),
		client.MatchingLabels{"app.kubernetes.io/instance": c.name, "app.kubernetes.io/component": component},
	}
}

// meet has people sign up and rooms made, all by REST and from outside.
func (c *site) meet(people, rooms int) {
	c.t.Helper()
	for i := range people {
		p := person{username: fmt.Sprint("user", i)}
		p.id, p.token = c.grant("/auth/register", p.username)
		c.people = append(c.people, p)
	}
	for i := range rooms {
		var room struct {
			ID string `json:"id"`
		}
		c.call(c.people[0].token, http.MethodPost, "/rooms", map[string]string{"name": fmt.Sprint("Room ", i), "visibility": "public"}, &room)
		for _, p := range c.people[1:] {
			c.call(p.token, http.MethodPost, "/rooms/"+room.ID+"/join", nil, nil)
		}
		c.rooms = append(c.rooms, room.ID)
	}
}

// grant registers somebody, or logs them in.
func (c *site) grant(path, username string) (id, token string) {
	c.t.Helper()
	var grant struct {
		Token string `json:"access_token"`
		User  struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	c.call("", http.MethodPost, path, map[string]string{"username": username, "password": password}, &grant)
	return grant.User.ID, grant.Token
}

// call makes a request, which has to succeed.
func (c *site) call(token, method, path string, in, out any) {
	c.t.Helper()
	if _, err := c.address.Call(token, method, path, in, out); err != nil {
		c.t.Fatal(err)
	}
}

// talk has everybody connect to the Service, and say something to somebody every so often, until what it returns is called.
// Every fifth person does not move when a server asks (DRN1).
func (c *site) talk(pace time.Duration) (quiet func()) {
	c.t.Helper()
	c.history = checker.NewHistory()
	people := make([]checker.Person, len(c.people))
	for i, p := range c.people {
		people[i] = checker.Person{UserID: p.id, Stays: i%5 == 0, Dial: func(ctx context.Context, epoch string, resume []session.Resume) (checker.Conn, error) {
			return c.address.Dial(ctx, websocket.Dialer{}, p.token, epoch, resume)
		}}
	}
	c.crowd = checker.NewCrowd(checker.CrowdConfig{Seed: 1, People: people, Rooms: c.rooms}, c.history)
	ctx, stop := context.WithCancel(context.Background())
	var talking sync.WaitGroup
	quiet = func() { stop(); talking.Wait() }
	c.t.Cleanup(func() { quiet(); c.crowd.Stop() })
	c.until("everybody is connected", 30*time.Second, func() bool {
		return !slices.ContainsFunc(c.crowd.Clients(), func(one *checker.Client) bool { return !one.Live() })
	})
	talking.Go(func() {
		dice := rand.New(rand.NewPCG(1, 9))
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ticker.C:
				one := c.crowd.Clients()[dice.IntN(len(c.people))]
				one.Send(c.rooms[dice.IntN(len(c.rooms))], fmt.Sprint("message ", n))
			case <-ctx.Done():
				return
			}
		}
	})
	return quiet
}

// said has somebody say something now, and returns how long it took until everybody had it.
func (c *site) said(body string, within time.Duration) time.Duration {
	c.t.Helper()
	c.crowd.Clients()[0].Send(c.rooms[0], body)
	return c.until("everybody has "+body, within, func() bool {
		return !slices.ContainsFunc(c.crowd.Clients(), func(one *checker.Client) bool { return !one.Has(c.rooms[0], body) })
	})
}

// until looks at what is in this process, until it is so.
func (c *site) until(what string, within time.Duration, is func() bool) time.Duration {
	c.t.Helper()
	began := time.Now()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		if time.Since(began) > within {
			c.t.Fatalf("%s: not within %v\n%s", what, within, c.history.Tail())
		}
		<-ticker.C
	}
	return time.Since(began)
}

// agree ends the talk, and compares what everybody saw and was acknowledged with what is in Postgres.
func (c *site) agree(quiet func()) {
	c.t.Helper()
	quiet()
	store := c.store()
	ctx := context.Background()
	var why error
	defer func() {
		if why != nil {
			c.t.Log(why)
		}
	}()
	c.until("everything is acknowledged, and everybody has all of it", time.Minute, func() bool {
		why = c.crowd.Settled(ctx, store)
		return why == nil
	})
	acknowledged := c.crowd.Acknowledged()
	c.crowd.Stop()
	must(c.t, c.crowd.Verify(ctx, store))
	violations := c.history.Violations()
	for _, v := range violations[:min(len(violations), 8)] {
		c.t.Error(v)
	}
	c.t.Logf("FIGURE %d messages acknowledged, %d violations", acknowledged, len(violations))
}

// store is the chat's database, past the servers.
func (c *site) store() *postgres.Store {
	c.t.Helper()
	var secret corev1.Secret
	must(c.t, kube.Get(c.t.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name + "-postgres"}, &secret))
	pod := c.pod("postgres")
	database := url.URL{
		Scheme: "postgres", User: url.UserPassword("gochat", string(secret.Data["password"])),
		Host: net.JoinHostPort(pod.Status.PodIP, "5432"), Path: "/gochat", RawQuery: "sslmode=disable",
	}
	store, err := postgres.Open(c.t.Context(), postgres.Config{URL: database.String(), Writers: 1, Readers: 2})
	must(c.t, err)
	c.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return store
}

// pod is the only pod of a part.
func (c *site) pod(component string) *corev1.Pod {
	c.t.Helper()
	pods, _, err := listed[*corev1.Pod](c.t.Context(), &corev1.PodList{}, c.parts(component))
	must(c.t, err)
	pods = slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning })
	if len(pods) != 1 {
		c.t.Fatalf("there are %d pods of %s, want 1", len(pods), component)
	}
	return pods[0]
}

// isReady reports whether a pod runs, is not about to go, and says that it is ready.
func isReady(p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// kill ends a pod without a warning, and waits until another one is ready in its place.
func kill(t *testing.T, pod *corev1.Pod, of []client.ListOption) time.Duration {
	t.Helper()
	must(t, kube.Delete(t.Context(), pod, client.GracePeriodSeconds(0)))
	return await(t, "another pod for "+pod.Name, 3*time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool {
		return slices.ContainsFunc(all, func(p *corev1.Pod) bool { return p.UID != pod.UID && isReady(p) })
	}, of...)
}

// lively are settings for people who are programs: they sign up together, talk fast, and stay for long.
func lively() []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: "GOCHAT_AUTH_RATE", Value: "0"}, {Name: "GOCHAT_SEND_RATE", Value: "0"}, {Name: "GOCHAT_ACCESS_TOKEN_TTL", Value: "2h"},
	}
}
