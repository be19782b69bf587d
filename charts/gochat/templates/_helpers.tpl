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

{{- /* Where the pods run, and by whose leave. */}}
{{- define "gochat.placed" -}}
{{- range $field := list "imagePullSecrets" "priorityClassName" "nodeSelector" "tolerations" "affinity" }}
{{- with get $.Values $field }}
{{ toYaml (dict $field .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gochat.user" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "gochat.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Before what a Job brings the definition of ChatCluster up to date, as Helm calls it; nothing where an administrator does that. */}}
{{- define "gochat.defines" -}}
{{- if and .Values.crd.upgrade (not .Values.watchNamespaces) -}}
pre-upgrade
{{- $there := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "chatclusters.gochat.dev" }}
{{- $ours := .Files.Get "crds/gochat.dev_chatclusters.yaml" | fromYaml }}
{{- if and $there (ne (toJson $there.spec.versions) (toJson $ours.spec.versions)) -}}
,pre-install
{{- end }}
{{- end }}
{{- end }}

{{- /* What the Job needs is there before it. */}}
{{- define "gochat.definesFirst" -}}
labels:
  {{- include "gochat.labels" . | nindent 2 }}
annotations:
  helm.sh/hook: {{ include "gochat.defines" . }}
  helm.sh/hook-weight: "-1"
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
