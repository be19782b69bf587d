package controller

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-logr/logr"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// onlyReaders lets those read the metrics who bring a token with which the API server lets them: GET /metrics, or, of an operator for
// some namespaces, get chatclusters/metrics in each of them, a subresource that is there to be granted only. The API server is asked
// with the token itself, as anybody may ask what they may do (system:basic-user): so the operator needs no right for it, and
// the mode for one namespace no ClusterRole.
//
// controller-runtime has another way, by TokenReview, on top of k8s.io/apiserver, which would make the program half as large again, and the
// operator is to be small (OP11).
func onlyReaders(namespaces []string) func(*rest.Config, *http.Client) (metricsserver.Filter, error) {
	return func(to *rest.Config, _ *http.Client) (metricsserver.Filter, error) {
		nobody, err := authorization.NewForConfig(rest.AnonymousClientConfig(to))
		if err != nil {
			return nil, err
		}
		return func(log logr.Logger, next http.Handler) (http.Handler, error) {
			return readers{ask: nobody.RESTClient(), namespaces: namespaces, log: log, next: next}, nil
		}, nil
	}
}

type readers struct {
	ask        rest.Interface // as nobody
	namespaces []string       // that are watched; none: all
	log        logr.Logger
	next       http.Handler
}

// ServeHTTP implements http.Handler.
func (f readers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || token == "" {
		http.Error(w, "a token is needed", http.StatusUnauthorized)
		return
	}
	may, err := f.may(r.Context(), token, r.URL.Path, strings.ToLower(r.Method))
	switch {
	case apierrors.IsUnauthorized(err):
		http.Error(w, "the token is not known", http.StatusUnauthorized)
	case err != nil && !apierrors.IsForbidden(err): // who may not even ask may not read
		f.log.Error(err, "whether the metrics may be read can't be found out")
		http.Error(w, "the API server can't be asked", http.StatusInternalServerError)
	case !may:
		http.Error(w, "who has this token may not read this", http.StatusForbidden)
	default:
		f.next.ServeHTTP(w, r)
	}
}

// may says whether who has the token may read a path.
func (f readers) may(ctx context.Context, token, path, verb string) (bool, error) {
	may, err := f.review(ctx, token, authorizationv1.SelfSubjectAccessReviewSpec{
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
	})
	if err != nil || may || len(f.namespaces) == 0 {
		return may, err
	}
	for _, namespace := range f.namespaces {
		may, err := f.review(ctx, token, authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: verb, Group: v1alpha1.SchemeGroupVersion.Group, Resource: "chatclusters", Subresource: "metrics",
			},
		})
		if err != nil || !may {
			return false, err
		}
	}
	return true, nil
}

func (f readers) review(ctx context.Context, token string, what authorizationv1.SelfSubjectAccessReviewSpec) (bool, error) {
	answer := &authorizationv1.SelfSubjectAccessReview{}
	err := f.ask.Post().Resource("selfsubjectaccessreviews").SetHeader("Authorization", "Bearer "+token).
		Body(&authorizationv1.SelfSubjectAccessReview{Spec: what}).Do(ctx).Into(answer)
	return err == nil && answer.Status.Allowed && !answer.Status.Denied, err
}
