package controller

import (
	"net/http"
	"strings"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// onlyReaders lets those read the metrics who bring a token that the API server knows, and whom it lets GET /metrics.
//
// controller-runtime has the same on top of k8s.io/apiserver, which would make the program half as large again, and the operator is
// to be small (OP11).
func onlyReaders(to *rest.Config, client *http.Client) (metricsserver.Filter, error) {
	who, err := authentication.NewForConfigAndClient(to, client)
	if err != nil {
		return nil, err
	}
	may, err := authorization.NewForConfigAndClient(to, client)
	if err != nil {
		return nil, err
	}
	return func(log logr.Logger, next http.Handler) (http.Handler, error) {
		return readers{who: who.TokenReviews(), may: may.SubjectAccessReviews(), log: log, next: next}, nil
	}, nil
}

type readers struct {
	who  authentication.TokenReviewInterface
	may  authorization.SubjectAccessReviewInterface
	log  logr.Logger
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (f readers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || token == "" {
		http.Error(w, "a token is needed", http.StatusUnauthorized)
		return
	}
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	review, err := f.who.Create(r.Context(), review, metav1.CreateOptions{})
	switch {
	case err != nil:
		f.log.Error(err, "who reads the metrics can't be found out")
		http.Error(w, "the API server can't be asked", http.StatusInternalServerError)
		return
	case !review.Status.Authenticated:
		http.Error(w, "the token is not known", http.StatusUnauthorized)
		return
	}
	user := review.Status.User
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	access := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: r.URL.Path, Verb: strings.ToLower(r.Method)},
	}}
	access, err = f.may.Create(r.Context(), access, metav1.CreateOptions{})
	switch {
	case err != nil:
		f.log.Error(err, "whether the metrics may be read can't be found out")
		http.Error(w, "the API server can't be asked", http.StatusInternalServerError)
	case !access.Status.Allowed || access.Status.Denied:
		http.Error(w, user.Username+" may not read this", http.StatusForbidden)
	default:
		f.next.ServeHTTP(w, r)
	}
}
