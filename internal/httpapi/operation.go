package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// maxBody is the largest request body in bytes: the longest message, each character escaped.
const maxBody = 128 << 10

const bearer = "bearer"

func humaConfig() huma.Config {
	setUpHuma()
	cfg := huma.DefaultConfig("GoChat", "1")
	cfg.Info.Description = "The REST API of a GoChat server. Errors are RFC 9457 problem documents with a stable `code`. " +
		"What happens in rooms is pushed over the WebSocket at `/api/v1/ws` (docs/protocol.md)."
	cfg.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil // no $schema member in answers
	cfg.AllowAdditionalPropertiesByDefault = true
	format := huma.Format{Marshal: marshal, Unmarshal: unmarshal}
	cfg.Formats = map[string]huma.Format{"application/json": format, "json": format} // the second: anything+json
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer: {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access_token of register, login, guest or refresh."},
	}
	registry := cfg.Components.Schemas
	registry.RegisterTypeAlias(reflect.TypeFor[wire.Time](), reflect.TypeFor[time.Time]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Role](), reflect.TypeFor[roleSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Visibility](), reflect.TypeFor[visibilitySchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.State](), reflect.TypeFor[stateSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Code](), reflect.TypeFor[codeSchema]())
	return cfg
}

// The schemas of the nouns' enumerations; package chat does not know of OpenAPI.
type (
	roleSchema       string
	visibilitySchema string
	stateSchema      string
	codeSchema       string
)

func enum[T ~string](values ...T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// Schema implements huma.SchemaProvider.
func (roleSchema) Schema(huma.Registry) *huma.Schema {
	return enum(chat.RoleOwner, chat.RoleAdmin, chat.RoleMember)
}

// Schema implements huma.SchemaProvider.
func (visibilitySchema) Schema(huma.Registry) *huma.Schema { return enum(chat.Public, chat.Private) }

// Schema implements huma.SchemaProvider.
func (stateSchema) Schema(huma.Registry) *huma.Schema {
	return enum(chat.Online, chat.Away, chat.Offline)
}

// Schema implements huma.SchemaProvider: a newer server may have more codes than this document lists.
func (codeSchema) Schema(huma.Registry) *huma.Schema {
	codes := make([]string, 0, len(statuses))
	for code := range statuses {
		codes = append(codes, "`"+string(code)+"`")
	}
	slices.Sort(codes)
	return &huma.Schema{Type: huma.TypeString, Description: "What went wrong, stable and machine-readable: " + strings.Join(codes, ", ")}
}

// marshal fails only where a value can't be written as JSON. That a client has gone is no error: the library would
// make a panic of it.
func marshal(w io.Writer, v any) error {
	var b bytes.Buffer
	if err := huma.DefaultJSONFormat.Marshal(&b, v); err != nil {
		return err
	}
	_, _ = w.Write(b.Bytes()) // the client is gone: nothing to do
	return nil
}

// unmarshal takes fields by their exact names. It refuses, beside what is not JSON, what is not UTF-8 and every text with U+0000 in it.
func unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("the body is not valid UTF-8")
	}
	if err := wire.Unmarshal(data, v); err != nil {
		return err
	}
	if tree, ok := v.(*any); ok && bytes.Contains(data, []byte(`\u0000`)) && hasNUL(*tree) {
		return errors.New("U+0000 is not allowed in a text")
	}
	return nil
}

func hasNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		return slices.ContainsFunc(v, hasNUL)
	case map[string]any:
		for key, value := range v {
			if hasNUL(key) || hasNUL(value) {
				return true
			}
		}
	}
	return false
}

// op describes an operation. Those without open need an access token.
type op struct {
	id, method, path string
	tag, summary     string
	status           int // of success; 0: 200, or 204 without a body
	open             bool
	refusals         []chat.Code // besides those that every operation may answer with
}

// register adds an operation to the routes and the document.
func register[I, O any](a *API, o op, handle func(context.Context, *I) (*O, error)) {
	operation := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Tags: []string{o.tag},
		DefaultStatus: o.status, MaxBodyBytes: maxBody, Responses: map[string]*huma.Response{},
	}
	codes := append([]chat.Code{chat.CodeBadRequest, chat.CodeUnavailable}, o.refusals...)
	if !o.open {
		operation.Security = []map[string][]string{{bearer: {}}}
		codes = append(codes, chat.CodeUnauthorized, chat.CodeSessionRevoked)
	}
	schema := a.rest.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	byStatus := make(map[int][]string)
	for _, code := range codes {
		status := statuses[code]
		byStatus[status] = append(byStatus[status], "`"+string(code)+"`")
	}
	for status, names := range byStatus {
		operation.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status) + ": " + strings.Join(names, ", "),
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
	huma.Register(a.rest, operation, handle)
}

type claimsKey struct{}

// authenticate lets through to an operation that needs it only who has a good access token.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 {
		next(ctx)
		return
	}
	token, _ := bearerHeader(ctx.Header("Authorization"))
	claims, err := a.auth.Authenticate(ctx.Context(), token)
	if err != nil {
		_ = huma.WriteErr(a.rest, ctx, http.StatusUnauthorized, "", err) // it has logged what it could not write
		return
	}
	next(huma.WithValue(ctx, claimsKey{}, claims))
}

// caller is who calls an operation that is not open.
func caller(ctx context.Context) auth.Claims {
	claims, _ := ctx.Value(claimsKey{}).(auth.Claims)
	return claims
}

// PageInput is how a page of a collection is asked for.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items at most."`
	Cursor string `query:"cursor" maxLength:"1000" doc:"next_cursor of the page before; none for the first."`
}

func (p PageInput) paging() chat.Paging { return chat.Paging{Limit: p.Limit, Cursor: p.Cursor} }

// pageOf is a page of a collection.
type pageOf[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor" nullable:"true" doc:"Of the next page; null at the end."`
}

type pageOutput[T any] struct{ Body pageOf[T] }

func page[T any](items []T, next string) *pageOutput[T] {
	out := &pageOutput[T]{Body: pageOf[T]{Items: items}}
	if next != "" {
		out.Body.NextCursor = &next
	}
	return out
}

// optional is a query parameter of which it matters whether it is there.
type optional[T any] struct {
	Value T
	Set   bool
}

// Schema implements huma.SchemaProvider.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[T]())
}

// Receiver implements huma.ParamWrapper.
func (o *optional[T]) Receiver() reflect.Value { return reflect.ValueOf(o).Elem().Field(0) }

// OnParamSet implements huma.ParamReactor.
func (o *optional[T]) OnParamSet(isSet bool, _ any) { o.Set = isSet }

// nothing is an empty input or an answer without a body.
type nothing struct{}

// done turns the outcome of a draft that only wants a state reached into an error or none.
func done(err error) error {
	if errors.Is(err, chat.ErrAlreadyDone) {
		return nil
	}
	return err
}
