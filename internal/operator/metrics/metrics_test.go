package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/metrics"
)

var names = []string{
	"gochat_operator_chatclusters", "gochat_operator_condition", "gochat_operator_last_reconcile_timestamp_seconds",
	"gochat_operator_last_backup_timestamp_seconds", "gochat_operator_certificate_expiry_timestamp_seconds", "gochat_operator_servers",
}

func status(ready, available metav1.ConditionStatus) v1alpha1.ChatClusterStatus {
	return v1alpha1.ChatClusterStatus{Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: ready, Reason: "Because"}, {Type: v1alpha1.ConditionAvailable, Status: available},
	}}
}

func TestSeries(t *testing.T) {
	m := metrics.New("test")
	is := func(want string) {
		t.Helper()
		if err := testutil.CollectAndCompare(m, strings.NewReader(want), names...); err != nil {
			t.Error(err)
		}
	}
	is("")
	chat, other := types.NamespacedName{Namespace: "a", Name: "chat"}, types.NamespacedName{Namespace: "b", Name: "chat"}
	one := status(metav1.ConditionFalse, metav1.ConditionTrue)
	one.Replicas, one.ReadyReplicas = 3, 2
	one.LastBackupTime = new(metav1.Unix(500, 0))
	m.Set(chat, metrics.Facts{Status: one, Reconciled: time.Unix(1000, 0), CertificateExpiry: time.Unix(2000, 0)})
	m.Set(other, metrics.Facts{Status: status(metav1.ConditionTrue, metav1.ConditionTrue), Reconciled: time.Unix(1001, 0)})
	m.Forget(other)
	m.Set(other, metrics.Facts{Status: status(metav1.ConditionUnknown, metav1.ConditionTrue)}) // its first pass failed
	m.Set(chat, metrics.Facts{Status: one, CertificateExpiry: time.Unix(2000, 0)})             // a pass that failed
	is(`
# HELP gochat_operator_certificate_expiry_timestamp_seconds When the certificate of the hostname expires.
# TYPE gochat_operator_certificate_expiry_timestamp_seconds gauge
gochat_operator_certificate_expiry_timestamp_seconds{chatcluster="chat",chatcluster_namespace="a"} 2000
# HELP gochat_operator_chatclusters ChatClusters, by condition and its status.
# TYPE gochat_operator_chatclusters gauge
gochat_operator_chatclusters{condition="Available",status="True"} 2
gochat_operator_chatclusters{condition="Ready",status="False"} 1
gochat_operator_chatclusters{condition="Ready",status="Unknown"} 1
# HELP gochat_operator_condition 1: the condition of the ChatCluster has this status, for this reason.
# TYPE gochat_operator_condition gauge
gochat_operator_condition{chatcluster="chat",chatcluster_namespace="a",condition="Available",reason="",status="True"} 1
gochat_operator_condition{chatcluster="chat",chatcluster_namespace="a",condition="Ready",reason="Because",status="False"} 1
gochat_operator_condition{chatcluster="chat",chatcluster_namespace="b",condition="Available",reason="",status="True"} 1
gochat_operator_condition{chatcluster="chat",chatcluster_namespace="b",condition="Ready",reason="Because",status="Unknown"} 1
# HELP gochat_operator_last_backup_timestamp_seconds When the last backup that succeeded was finished.
# TYPE gochat_operator_last_backup_timestamp_seconds gauge
gochat_operator_last_backup_timestamp_seconds{chatcluster="chat",chatcluster_namespace="a"} 500
# HELP gochat_operator_last_reconcile_timestamp_seconds When the last pass over the ChatCluster that succeeded ended.
# TYPE gochat_operator_last_reconcile_timestamp_seconds gauge
gochat_operator_last_reconcile_timestamp_seconds{chatcluster="chat",chatcluster_namespace="a"} 1000
# HELP gochat_operator_servers Servers: all of them, and those that take connections.
# TYPE gochat_operator_servers gauge
gochat_operator_servers{chatcluster="chat",chatcluster_namespace="a",state="all"} 3
gochat_operator_servers{chatcluster="chat",chatcluster_namespace="a",state="ready"} 2
gochat_operator_servers{chatcluster="chat",chatcluster_namespace="b",state="all"} 0
gochat_operator_servers{chatcluster="chat",chatcluster_namespace="b",state="ready"} 0
`)
	m.Forget(chat)
	m.Forget(other)
	is("")
}
