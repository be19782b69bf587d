package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gochat-dev/gochat/internal/chat"
)

const problemType = "application/problem+json"

// codeInternal is of an error that is ours, not the caller's; the log says which.
const codeInternal chat.Code = "internal"

// statuses are the HTTP status of each code: the one place where errors become answers.
var statuses = map[chat.Code]int{
	chat.CodeBadRequest:         http.StatusBadRequest,
	chat.CodeNotFound:           http.StatusNotFound,
	chat.CodeNotAMember:         http.StatusForbidden,
	chat.CodeForbidden:          http.StatusForbidden,
	chat.CodeTooLong:            http.StatusBadRequest,
	chat.CodeEmpty:              http.StatusBadRequest,
	chat.CodeRateLimited:        http.StatusTooManyRequests,
	chat.CodeUnavailable:        http.StatusServiceUnavailable,
	chat.CodeInviteRequired:     http.StatusForbidden,
	chat.CodeInviteInvalid:      http.StatusNotFound,
	chat.CodeLastOwner:          http.StatusConflict,
	chat.CodeUsernameTaken:      http.StatusConflict,
	chat.CodeRegistrationClosed: http.StatusForbidden,
	chat.CodeGuestsDisabled:     http.StatusForbidden,
	chat.CodeBadCredentials:     http.StatusUnauthorized,
	chat.CodeSessionRevoked:     http.StatusUnauthorized,
	chat.CodeUnauthorized:       http.StatusUnauthorized,
	codeInternal:                http.StatusInternalServerError,
}

// retryAdvice is how long a client waits when the store can't be reached.
const retryAdvice = time.Second

// Problem is an error as a client sees it: an RFC 9457 problem document with the members code and retry_after_ms.
//
//nolint:errname // this is its name in the OpenAPI document
type Problem struct {
	Title        string    `json:"title" doc:"The status in words."`
	Status       int       `json:"status" doc:"The HTTP status."`
	Detail       string    `json:"detail" doc:"Plain words that say what to do."`
	Code         chat.Code `json:"code"`
	RetryAfterMS int64     `json:"retry_after_ms,omitempty" doc:"How long to wait before trying again, where waiting helps."`
	Errors       []Fault   `json:"errors,omitempty" doc:"Which parts of the request are wrong."`
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Location string `json:"location" doc:"Such as body.name or query.limit."`
	Message  string `json:"message"`
}

// Error implements error and huma.StatusError.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

// setUpHuma sets what the library takes from variables, and nowhere else: how errors are made, and that a list is
// never null. Nothing but this package uses it.
var setUpHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError { return newProblem(status, msg, errs) }
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := newProblem(status, msg, errs)
		p.log(ctx.Context(), errs)
		p.eachHeader(ctx.SetHeader)
		return p
	}
})

// newProblem makes a problem of what a handler returned (one error) or of what the library found wrong with a request.
func newProblem(status int, msg string, errs []error) *Problem {
	if len(errs) == 1 {
		if _, isFault := errors.AsType[*huma.ErrorDetail](errs[0]); !isFault {
			return problemOf(errs[0])
		}
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return invalid(msg, errs)
	case http.StatusRequestEntityTooLarge:
		return problem(status, chat.CodeTooLong, "the request is too large")
	case http.StatusUnsupportedMediaType:
		return problem(status, chat.CodeBadRequest, "the body must be JSON (Content-Type: application/json)")
	case http.StatusNotFound:
		return problem(status, chat.CodeNotFound, "there is no such path here")
	default:
		if status >= http.StatusInternalServerError {
			return problem(status, codeInternal, "something went wrong on the server")
		}
		return problem(status, chat.CodeBadRequest, msg)
	}
}

func problem(status int, code chat.Code, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// problemOf turns an error of ours into what its causer may know of it.
func problemOf(err error) *Problem {
	var refusal *chat.Error
	switch {
	case errors.As(err, &refusal):
		status, ok := statuses[refusal.Code]
		if !ok {
			status = http.StatusBadRequest
		}
		p := problem(status, refusal.Code, refusal.Message)
		p.RetryAfterMS = refusal.RetryAfterMS()
		return p
	case errors.Is(err, chat.ErrUnavailable), errors.Is(err, chat.ErrUnknownOutcome),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problemOf(chat.Unavailable(retryAdvice))
	default:
		return problem(http.StatusInternalServerError, codeInternal, "something went wrong on the server")
	}
}

// invalid says what is wrong with a request. The values are not repeated: they may be passwords.
func invalid(msg string, errs []error) *Problem {
	p := problem(http.StatusBadRequest, chat.CodeBadRequest, msg)
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if !errors.As(err, &detail) {
			continue
		}
		fault := Fault{Location: detail.Location, Message: detail.Message}
		if len(p.Errors) == 0 {
			p.Code = codeOf(detail)
			p.Detail = strings.TrimPrefix(fault.Location+": "+fault.Message, ": ")
		}
		p.Errors = append(p.Errors, fault)
	}
	return p
}

// codeOf tells by the library's words whether a text is too long or empty.
func codeOf(detail *huma.ErrorDetail) chat.Code {
	switch {
	case strings.HasPrefix(detail.Message, "expected length <="):
		return chat.CodeTooLong
	case detail.Message == "expected length >= 1", strings.HasPrefix(detail.Message, "expected length >=") && detail.Value == "":
		return chat.CodeEmpty
	default:
		return chat.CodeBadRequest
	}
}

// log says to us what a client is not told.
func (p *Problem) log(ctx context.Context, errs []error) {
	if p.Status < http.StatusInternalServerError || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	level := slog.LevelError
	var refusal *chat.Error
	switch {
	case errors.As(errors.Join(errs...), &refusal): // leaving, full, or a failure that whoever met it has logged
		level = slog.LevelDebug
	case p.Code == chat.CodeUnavailable:
		level = slog.LevelWarn
	}
	visitOf(ctx).log.Log(ctx, level, "a request failed", "code", p.Code, "err", errors.Join(errs...))
}

// eachHeader sets the headers that go with a problem.
func (p *Problem) eachHeader(set func(name, value string)) {
	if p.RetryAfterMS > 0 {
		seconds := math.Ceil(float64(p.RetryAfterMS) / 1000)
		set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.Code == chat.CodeUnauthorized || p.Code == chat.CodeSessionRevoked {
		set("WWW-Authenticate", `Bearer realm="gochat"`)
	}
}

// WriteProblem answers a request with an error, as the REST operations do: a refusal (*chat.Error) is told, of
// anything else only that it happened, and the log says what.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.log(r.Context(), []error{err})
	p.write(w)
}

func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain structs of strings and numbers always encode
	}
	p.eachHeader(w.Header().Set)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client is gone: nothing to do
}

// problems answers with a problem document where the routes have no handler: 404 and 405.
type problems struct{ routes *http.ServeMux }

func (h problems) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if text := r.URL.Path + query; err != nil || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		problem(http.StatusBadRequest, chat.CodeBadRequest, "the URL must be valid UTF-8 without U+0000").write(w)
		return
	}
	handler, pattern := h.routes.Handler(r)
	if pattern != "" {
		h.routes.ServeHTTP(w, r)
		return
	}
	said := &unsaid{header: w.Header()}
	handler.ServeHTTP(said, r)
	if said.status == http.StatusMethodNotAllowed {
		problem(said.status, chat.CodeBadRequest, "this path does not know the method "+r.Method).write(w)
		return
	}
	problem(http.StatusNotFound, chat.CodeNotFound, "there is no such path here").write(w)
}

// unsaid takes the headers of an answer, and drops the rest of it.
type unsaid struct {
	header http.Header
	status int
}

func (u *unsaid) Header() http.Header         { return u.header }
func (u *unsaid) WriteHeader(status int)      { u.status = status }
func (u *unsaid) Write(b []byte) (int, error) { return len(b), nil }
