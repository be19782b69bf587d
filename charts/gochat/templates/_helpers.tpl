{{- define "gochat.name" -}}
{{ printf "%s-operator" (.Release.Name | trunc 44 | trimSuffix "-") }}
{{- end }}

{{- define "gochat.selector" -}}
app.kubernetes.io/name: gochat-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gochat.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "gochat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "gochat.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "gochat.name" .) }}
{{- end }}

{{- define "gochat.subject" -}}
- kind: ServiceAccount
  name: {{ include "gochat.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "gochat.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* Whether metrics are served: to ask the API server who reads them needs a ClusterRole. */}}
{{- define "gochat.metrics" -}}
{{- if and .Values.metrics.enabled (not .Values.watchNamespaces) }}yes{{ end }}
{{- end }}

{{- /* Whether the API server knows ChatClusters already: Helm asks it about every object before it makes the first. */}}
{{- define "gochat.known" -}}
{{- if .Capabilities.APIVersions.Has "gochat.dev/v1alpha1/ChatCluster" }}yes{{ end }}
{{- end }}
