package insight_test

// The values of a condition of the operator, and of a chat that goes well.
const (
	isSo  = "1x3000"
	still = "0x3000"
)

func condition(kind, status string) string {
	return `gochat_operator_condition{condition="` + kind + `",status="` + status + `"}`
}

// reasoned is a condition that has its status for a reason.
func reasoned(kind, status, reason string) string {
	return `gochat_operator_condition{condition="` + kind + `",reason="` + reason + `",status="` + status + `"}`
}

// hibernated is a world in which everything is stopped on purpose.
func hibernated(w world) world {
	w[condition("Hibernated", "True")] = isSo
	return w
}

var examples = []example{
	{
		alert: "GoChatDown", severity: "critical", after: "10m",
		fires: []world{
			{condition("Available", "False"): isSo, condition("Hibernated", "False"): isSo},
			{`up{pod="a"}`: "1x5 0x5", `up{pod="b"}`: "0x10"},
		},
		silent: []world{
			{condition("Available", "True"): isSo, `up{pod="a"}`: "1x10", `up{pod="b"}`: "0x10"},
			hibernated(world{condition("Available", "False"): isSo}),
			{`up{pod="a"}`: "1x9 0x5"}, // it is starting again
		},
	},
	{
		alert: "GoChatNotCommitting", severity: "critical",
		fires: []world{
			{`gochat_entries_committed_total{pod="a"}`: "0+60x10 600x10", `gochat_sends_total{pod="a",result="unavailable"}`: "0x10 0+10x10"},
			{`gochat_entries_committed_total{pod="a"}`: "0+60x10 600x10", `gochat_sends_waiting{pod="a"}`: "0x10 5x10"},
		},
		silent: []world{
			// Silence; what somebody may not; one server of two that works.
			{`gochat_entries_committed_total{pod="a"}`: "600x20", `gochat_sends_total{pod="a",result="unavailable"}`: "7x20", `gochat_sends_waiting{pod="a"}`: "0x20"},
			{`gochat_entries_committed_total{pod="a"}`: "600x20", `gochat_sends_total{pod="a",result="refused"}`: "0+10x20"},
			{
				`gochat_entries_committed_total{pod="a"}`: "600x20", `gochat_sends_total{pod="a",result="unavailable"}`: "0+10x20",
				`gochat_entries_committed_total{pod="b"}`: "0+60x20",
			},
		},
	},
	{
		alert: "GoChatStoreDown", severity: "critical", after: "10m",
		fires:  []world{{`gochat_store_up{pod="a"}`: "1x5 0x10", `gochat_store_up{pod="b"}`: "1x15"}},
		silent: []world{{`gochat_store_up{pod="a"}`: "1x4 0x0 1x10"}, {`gochat_store_up{pod="a"}`: isSo}},
	},
	{
		alert: "GoChatBackplaneDown", severity: "warning", after: "10m",
		fires:  []world{{`gochat_backplane_up{pod="a"}`: "1x5 0x10", `gochat_backplane_up{pod="b"}`: "1x15"}},
		silent: []world{{`gochat_backplane_up{pod="a"}`: isSo}, {`gochat_backplane_up{pod="a"}`: "1x9 0x10"}},
	},
	{
		alert: "GoChatBusLag", severity: "warning",
		fires: []world{{
			`gochat_bus_lag_seconds_bucket{pod="a",le="1"}`: "0+90x20", `gochat_bus_lag_seconds_bucket{pod="a",le="2.5"}`: "0+100x20",
			`gochat_bus_lag_seconds_bucket{pod="a",le="+Inf"}`: "0+100x20",
		}},
		silent: []world{
			{
				`gochat_bus_lag_seconds_bucket{pod="a",le="0.1"}`: "0+100x20", `gochat_bus_lag_seconds_bucket{pod="a",le="1"}`: "0+100x20",
				`gochat_bus_lag_seconds_bucket{pod="a",le="+Inf"}`: "0+100x20",
			},
			{`gochat_bus_lag_seconds_bucket{pod="a",le="1"}`: still, `gochat_bus_lag_seconds_bucket{pod="a",le="+Inf"}`: still},
		},
	},
	{
		alert: "GoChatReconnectStorm", severity: "warning",
		fires: []world{{`gochat_connects_total{pod="a"}`: "0+60x20", `gochat_connections{pod="a"}`: "40x20"}},
		silent: []world{
			// Nine o'clock; an update, or a router that was restarted: everybody once.
			{`gochat_connects_total{pod="a"}`: "0+100x20", `gochat_connections{pod="a"}`: "0+100x20"},
			{`gochat_connects_total{pod="a"}`: "0x15 1000x5", `gochat_connections{pod="a"}`: "1000x20"},
			{`gochat_connects_total{pod="a"}`: "0+5x20", `gochat_connections{pod="a"}`: "2x20"}, // somebody's phone
		},
	},
	{
		alert: "GoChatTurnedAway", severity: "warning",
		fires: []world{
			{`gochat_connections_turned_away_total{pod="a",why="full"}`: "0+3x20"},
			{`gochat_connections_turned_away_total{pod="a",why="store"}`: "0+3x20"},
		},
		silent: []world{{
			`gochat_connections_turned_away_total{pod="a",why="leaving"}`: "0+30x20", `gochat_connections_turned_away_total{pod="a",why="full"}`: "9x20",
		}},
	},
	{
		alert: "GoChatConnectionsNearLimit", severity: "warning",
		fires: []world{
			{`gochat_connections{pod="a"}`: "900x20", `gochat_connections_max{pod="a"}`: "1000x20", `gochat_connections{pod="b"}`: "1x20", `gochat_connections_max{pod="b"}`: "1000x20"},
			{`process_open_fds{pod="a"}`: "18000x20", `process_max_fds{pod="a"}`: "20000x20"},
		},
		silent: []world{
			{`gochat_connections{pod="a"}`: "800x20", `gochat_connections_max{pod="a"}`: "1000x20", `process_open_fds{pod="a"}`: "900x20", `process_max_fds{pod="a"}`: "20000x20"},
			{`gochat_connections{pod="a"}`: "9000x20", `gochat_connections_max{pod="a"}`: "0x20"}, // no limit
		},
	},
	{
		alert: "GoChatSlowConsumers", severity: "warning", after: "30m",
		fires: []world{{`gochat_disconnects_total{pod="a",code="4009"}`: "0+5x40", `gochat_connections{pod="a"}`: "1000x40"}},
		silent: []world{
			{`gochat_disconnects_total{pod="a",code="4009"}`: "0+5x40", `gochat_connections{pod="a"}`: "9000x40"}, // few of many
			{`gochat_disconnects_total{pod="a",code="1001"}`: "0+500x40", `gochat_connections{pod="a"}`: "1000x40"},
			{`gochat_disconnects_total{pod="a",code="4009"}`: "0x20 2x20", `gochat_connections{pod="a"}`: "3x40"},
		},
	},
	{
		alert: "GoChatGapsRising", severity: "warning", after: "30m",
		fires: []world{{`gochat_gaps_mended_total{pod="a"}`: "0+10x40", `gochat_entries_committed_total{pod="a"}`: "0+100x40"}},
		silent: []world{
			{`gochat_gaps_mended_total{pod="a"}`: "0+10x40", `gochat_entries_committed_total{pod="a"}`: "0+1000x40"},
			{`gochat_gaps_mended_total{pod="a"}`: "0+1x40", `gochat_entries_committed_total{pod="a"}`: "0+1x40"},
		},
	},
	{
		alert: "GoChatRoomsReset", severity: "warning",
		fires:  []world{{`gochat_rooms_reset_total{pod="a"}`: "0x15 3x10"}},
		silent: []world{{`gochat_rooms_reset_total{pod="a"}`: "3x30"}, {`gochat_rooms_reset_total{pod="a"}`: still}},
	},
	{
		alert: "GoChatServerRestarting", severity: "warning", after: "30m",
		fires: []world{{`process_start_time_seconds{pod="a"}`: "100x10 200x5 300x5 400x10"}},
		silent: []world{
			{`process_start_time_seconds{pod="a"}`: "100x10 200x20"},
			{`process_start_time_seconds{pod="a"}`: "100x10", `process_start_time_seconds{pod="b"}`: "_x10 200x10", `process_start_time_seconds{pod="c"}`: "_x20 300x10"},
		},
	},
	{
		alert: "GoChatNotScraped", severity: "warning", after: "30m",
		fires:  []world{{condition("Hibernated", "False"): isSo}},
		silent: []world{hibernated(world{}), {`up{pod="a"}`: still}},
	},
	{
		alert: "GoChatSendsFailing", severity: "critical", after: "70m",
		fires: []world{{`gochat_sends_total{pod="a",result="committed"}`: "0+95x80", `gochat_sends_total{pod="a",result="unavailable"}`: "0+5x80"}},
		silent: []world{
			{`gochat_sends_total{pod="a",result="committed"}`: "0+1000x80", `gochat_sends_total{pod="a",result="unavailable"}`: "0+1x80"},
			{`gochat_sends_total{pod="a",result="committed"}`: "0+1x80", `gochat_sends_total{pod="a",result="unavailable"}`: "0x40 9x40"},      // too few to tell
			{`gochat_sends_total{pod="a",result="committed"}`: "0+95x80", `gochat_sends_total{pod="a",result="unavailable"}`: "0+9x40 360x40"}, // it is over
			{`gochat_sends_total{pod="a",result="committed"}`: "0+95x80", `gochat_sends_total{pod="a",result="refused"}`: "0+50x80"},
		},
	},
	{
		alert: "GoChatSendsFailing", severity: "warning", after: "7h",
		fires: []world{{`gochat_sends_total{pod="a",result="committed"}`: "0+990x430", `gochat_sends_total{pod="a",result="unavailable"}`: "0+10x430"}},
		silent: []world{
			{`gochat_sends_total{pod="a",result="committed"}`: "0+999x430", `gochat_sends_total{pod="a",result="unavailable"}`: "0+1x430"},
			{`gochat_sends_total{pod="a",result="committed"}`: "0+990x430", `gochat_sends_total{pod="a",result="unavailable"}`: "0+10x380 3800x50"},
		},
	},
	{
		alert: "GoChatSendsSlow", severity: "warning", after: "7h",
		fires: []world{
			{`gochat_send_seconds_bucket{pod="a",le="0.5"}`: "0+80x430", `gochat_send_seconds_count{pod="a"}`: "0+100x430"},
			{`gochat_send_seconds_bucket{pod="a",le="0.5"}`: "0+92x430", `gochat_send_seconds_count{pod="a"}`: "0+100x430"},
		},
		silent: []world{
			{`gochat_send_seconds_bucket{pod="a",le="0.5"}`: "0+99x430", `gochat_send_seconds_count{pod="a"}`: "0+100x430"},
			{`gochat_send_seconds_bucket{pod="a",le="0.5"}`: still, `gochat_send_seconds_count{pod="a"}`: still},
		},
	},
	{
		alert: "GoChatDeliveriesSlow", severity: "warning", after: "7h",
		fires: []world{
			{`gochat_delivery_seconds_bucket{pod="a",le="0.5"}`: "0+80x430", `gochat_delivery_seconds_count{pod="a"}`: "0+100x430"},
			{`gochat_delivery_seconds_bucket{pod="a",le="0.5"}`: "0+92x430", `gochat_delivery_seconds_count{pod="a"}`: "0+100x430"},
		},
		silent: []world{
			{`gochat_delivery_seconds_bucket{pod="a",le="0.5"}`: "0+99x430", `gochat_delivery_seconds_count{pod="a"}`: "0+100x430"},
			{`gochat_delivery_seconds_bucket{pod="a",le="0.5"}`: "0+80x300 24000+100x130", `gochat_delivery_seconds_count{pod="a"}`: "0+100x430"}, // it is over
		},
	},
	{
		alert: "GoChatRestoreFailed", severity: "critical", after: "10m",
		fires: []world{
			{reasoned("SchemaCurrent", "False", "RestoreFailed"): isSo},
			{reasoned("SchemaCurrent", "False", "RestoreStuck"): isSo},
			{reasoned("SchemaCurrent", "False", "RestoreStuck"): "1x4 stale", reasoned("SchemaCurrent", "False", "RestoreFailed"): "_x4 1x10"},
		},
		silent: []world{
			{reasoned("SchemaCurrent", "False", "Restoring"): isSo}, // a large one takes its time
			{reasoned("SchemaCurrent", "False", "MigrationFailed"): isSo},
			hibernated(world{reasoned("SchemaCurrent", "False", "RestoreFailed"): isSo}),
		},
	},
	{
		alert: "GoChatMigrationFailed", severity: "critical",
		fires: []world{
			{condition("SchemaCurrent", "False"): isSo},
			{reasoned("SchemaCurrent", "False", "MigrationStuck"): isSo},
			{reasoned("SchemaCurrent", "False", "Migrating"): "1x9 stale", reasoned("SchemaCurrent", "False", "MigrationFailed"): "_x9 1x10"},
		},
		silent: []world{
			{condition("SchemaCurrent", "True"): isSo},
			{condition("SchemaCurrent", "False"): "1x14", condition("SchemaCurrent", "True"): "_x14 1x10"},
			{reasoned("SchemaCurrent", "False", "Restoring"): isSo},
			{reasoned("SchemaCurrent", "False", "RestoreFailed"): isSo},
			hibernated(world{condition("SchemaCurrent", "False"): isSo}),
		},
	},
	{
		alert: "GoChatRollStuck", severity: "warning", after: "40m",
		fires: []world{{condition("UpToDate", "False"): isSo}},
		silent: []world{
			{condition("UpToDate", "True"): isSo},
			{condition("UpToDate", "False"): isSo, condition("Paused", "True"): isSo},
			hibernated(world{condition("UpToDate", "False"): isSo}),
		},
	},
	{
		alert: "GoChatOperatorNotReconciling", severity: "warning", after: "40m",
		fires: []world{
			{"gochat_operator_last_reconcile_timestamp_seconds": "0x50"},
			{"gochat_operator_last_reconcile_timestamp_seconds": "300x5 stale"}, // the operator is gone
		},
		silent: []world{{"gochat_operator_last_reconcile_timestamp_seconds": "0+60x50"}, {}},
	},
	{
		alert: "GoChatNotExposed", severity: "critical",
		fires:  []world{{condition("Exposed", "False"): isSo}},
		silent: []world{{condition("Exposed", "True"): isSo}, {condition("Exposed", "Unknown"): isSo}, hibernated(world{condition("Exposed", "False"): isSo})},
	},
	{
		alert: "GoChatCertificateExpiring", severity: "critical",
		fires:  []world{{"gochat_operator_certificate_expiry_timestamp_seconds": "200000x30"}},
		silent: []world{{"gochat_operator_certificate_expiry_timestamp_seconds": "400000x30"}},
	},
	{
		alert: "GoChatCertificateExpiring", severity: "warning", after: "70m",
		fires:  []world{{"gochat_operator_certificate_expiry_timestamp_seconds": "1000000x80"}},
		silent: []world{{"gochat_operator_certificate_expiry_timestamp_seconds": "2000000x80"}},
	},
	{
		alert: "GoChatBackupFailed", severity: "warning",
		fires:  []world{{condition("BackupHealthy", "False"): isSo}},
		silent: []world{{condition("BackupHealthy", "True"): isSo}, hibernated(world{condition("BackupHealthy", "False"): isSo})},
	},
	{
		alert: "GoChatBackupTooOld", severity: "critical", after: "40h",
		fires: []world{
			{"gochat_operator_last_backup_timestamp_seconds": "3600x2500"},
			{condition("BackupHealthy", "Unknown"): isSo}, // the first one never began
		},
		silent: []world{
			{condition("BackupHealthy", "Unknown"): "1x1500", condition("BackupHealthy", "True"): "_x1500 1x1000"},
			hibernated(world{condition("BackupHealthy", "Unknown"): isSo}),
			{"gochat_operator_last_backup_timestamp_seconds": "3600x1600 86400x800"},
			hibernated(world{"gochat_operator_last_backup_timestamp_seconds": "3600x2500"}),
		},
	},
	{
		alert: "GoChatVolumeFilling", severity: "critical",
		fires:  []world{{`kubelet_volume_stats_used_bytes{persistentvolumeclaim="CLUSTER-postgres"}`: "97x30", `kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="CLUSTER-postgres"}`: "100x30"}},
		silent: []world{{`kubelet_volume_stats_used_bytes{persistentvolumeclaim="CLUSTER-postgres"}`: "90x30", `kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="CLUSTER-postgres"}`: "100x30"}},
	},
	{
		alert: "GoChatVolumeFilling", severity: "warning", after: "40m",
		fires: []world{{`kubelet_volume_stats_used_bytes{persistentvolumeclaim="CLUSTER-backup"}`: "90x50", `kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="CLUSTER-backup"}`: "100x50"}},
		silent: []world{
			{`kubelet_volume_stats_used_bytes{persistentvolumeclaim="CLUSTER-backup"}`: "80x50", `kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="CLUSTER-backup"}`: "100x50"},
			{`kubelet_volume_stats_used_bytes{persistentvolumeclaim="CLUSTER-2-backup"}`: "99x50", `kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="CLUSTER-2-backup"}`: "100x50"},
		},
	},
}
