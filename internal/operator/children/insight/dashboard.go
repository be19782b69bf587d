package insight

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the dashboard
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

//go:embed dashboard.json
var dashboard string

// DashboardLabel is the label by which Grafana's sidecar finds the ConfigMaps that hold dashboards; its value is "1".
const DashboardLabel = "grafana_dashboard"

// DashboardOf is the Grafana dashboard of a ChatCluster: it opens on this one, under an address of its own. The error is that of
// a file that was built in.
func DashboardOf(c *v1alpha1.ChatCluster) (string, error) {
	of := sha256.Sum256([]byte(c.Namespace + "/" + c.Name))
	text, err := compact()
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(
		"<namespace>", c.Namespace,
		"<name>", c.Name,
		"<uid>", "gochat-"+hex.EncodeToString(of[:8]),
	).Replace(text), nil
}

// compact is the dashboard in one line, not filled in.
var compact = sync.OnceValues(func() (string, error) {
	var small bytes.Buffer
	if err := json.Compact(&small, []byte(dashboard)); err != nil {
		return "", fmt.Errorf("dashboard.json: %w", err)
	}
	return small.String(), nil
})
