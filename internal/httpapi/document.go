package httpapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed document.html.tmpl
var documentTemplate string

//go:embed document.css
var documentStyle []byte

// documentPolicy: the page of the document needs nothing but its own style.
const documentPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveDocument adds the OpenAPI document and a page for people to the routes.
func (a *API) serveDocument(mux *http.ServeMux) error {
	html, err := a.documentPage()
	if err != nil {
		return err
	}
	serve := func(path, kind string, body []byte) {
		mux.HandleFunc("GET "+Base+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", kind)
			h.Set("Cache-Control", cacheNever)
			h.Set("Content-Security-Policy", documentPolicy)
			_, _ = w.Write(body) // the client is gone: nothing to do
		})
	}
	serve("/openapi.json", "application/json", a.document)
	serve("/docs", "text/html; charset=utf-8", html)
	serve("/docs.css", "text/css; charset=utf-8", documentStyle)
	return nil
}

// The page's view of the document.
type (
	docPage struct {
		Title, Description, Version string
		Groups                      []docGroup
		Schemas                     []docSchema
	}
	docGroup struct {
		Name       string
		Operations []docOperation
	}
	docOperation struct {
		ID, Method, Path, Summary string
		Open                      bool
		Params                    []docField
		Body                      *docRef
		Responses                 []docResponse
	}
	docResponse struct {
		Status, Description string
		Body                *docRef
	}
	docSchema struct {
		Name, Description string
		Fields            []docField
	}
	docField struct {
		Name, Kind, Doc, In string
		Required            bool
		Ref                 string // the schema that Kind names
	}
	docRef struct{ Kind, Ref string }
)

func (a *API) documentPage() ([]byte, error) {
	api := a.rest.OpenAPI()
	view := docPage{Title: api.Info.Title, Description: api.Info.Description, Version: api.Info.Version}
	for name, schema := range api.Components.Schemas.Map() {
		view.Schemas = append(view.Schemas, docSchema{name, schema.Description, fieldsOf(schema)})
	}
	sort.Slice(view.Schemas, func(i, j int) bool { return view.Schemas[i].Name < view.Schemas[j].Name })
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		for _, o := range operationsOf(api.Paths[path]) {
			view.add(o)
		}
	}
	page, err := template.New("document").Funcs(template.FuncMap{"spans": spans}).Parse(documentTemplate)
	if err != nil {
		return nil, fmt.Errorf("page of the OpenAPI document: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, view); err != nil {
		return nil, fmt.Errorf("page of the OpenAPI document: %w", err)
	}
	return out.Bytes(), nil
}

// span is a piece of a text: plain, or code.
type span struct {
	Text string
	Code bool
}

// spans takes a text with `code` in it apart.
func spans(text string) []span {
	var all []span
	for i, part := range strings.Split(text, "`") {
		if part != "" {
			all = append(all, span{part, i%2 == 1})
		}
	}
	return all
}

func operationsOf(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete}
	return slices.DeleteFunc(all, func(o *huma.Operation) bool { return o == nil })
}

func (v *docPage) add(o *huma.Operation) {
	op := docOperation{ID: o.OperationID, Method: o.Method, Path: Base + o.Path, Summary: o.Summary, Open: len(o.Security) == 0}
	for _, p := range o.Parameters {
		ref := refOf(p.Schema)
		op.Params = append(op.Params, docField{Name: p.Name, In: p.In, Kind: ref.Kind, Doc: p.Description, Required: p.Required})
	}
	if o.RequestBody != nil {
		op.Body = bodyOf(o.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		r := o.Responses[status]
		op.Responses = append(op.Responses, docResponse{status, r.Description, bodyOf(r.Content)})
	}
	for i := range v.Groups {
		if v.Groups[i].Name == o.Tags[0] {
			v.Groups[i].Operations = append(v.Groups[i].Operations, op)
			return
		}
	}
	v.Groups = append(v.Groups, docGroup{o.Tags[0], []docOperation{op}})
}

func bodyOf(content map[string]*huma.MediaType) *docRef {
	for _, media := range content {
		ref := refOf(media.Schema)
		return &ref
	}
	return nil
}

func fieldsOf(s *huma.Schema) []docField {
	fields := make([]docField, 0, len(s.Properties))
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		ref := refOf(p)
		fields = append(fields, docField{
			Name: name, Kind: ref.Kind, Ref: ref.Ref, Doc: p.Description, Required: slices.Contains(s.Required, name),
		})
	}
	return fields
}

// refOf says in a few words what a schema allows.
func refOf(s *huma.Schema) docRef {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return docRef{name, name}
	}
	if s.Type == huma.TypeArray {
		item := refOf(s.Items)
		return docRef{"list of " + item.Kind, item.Ref}
	}
	kind := s.Type
	if kind == "" {
		kind = "any"
	}
	if s.Format != "" && s.Format != "int64" {
		kind = s.Format
	}
	if len(s.Enum) > 0 {
		values, err := json.Marshal(s.Enum)
		if err == nil {
			kind = strings.NewReplacer("[", "", "]", "", `","`, `" or "`).Replace(string(values))
		}
	}
	return docRef{Kind: kind + limitsOf(s)}
}

func limitsOf(s *huma.Schema) string {
	var limits string
	switch {
	case s.MinLength != nil && s.MaxLength != nil:
		limits = fmt.Sprintf(", %d to %d characters", *s.MinLength, *s.MaxLength)
	case s.MaxLength != nil:
		limits = fmt.Sprintf(", at most %d characters", *s.MaxLength)
	case s.MinLength != nil:
		limits = fmt.Sprintf(", at least %d characters", *s.MinLength)
	}
	if s.Minimum != nil {
		limits += fmt.Sprintf(", ≥ %.0f", *s.Minimum)
	}
	if s.Maximum != nil {
		limits += fmt.Sprintf(", ≤ %.0f", *s.Maximum)
	}
	if s.Default != nil {
		limits += fmt.Sprintf(", default %v", s.Default)
	}
	if s.Nullable {
		limits += ", or null"
	}
	return limits
}
