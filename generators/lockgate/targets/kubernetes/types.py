"""The Kubernetes objects that are written, typed by hand: only the fields in use, in the order of reading."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Labels: TypeAlias = dict[str, str]


class Metadata(TypedDict):
    name: str
    namespace: NotRequired[str]
    labels: NotRequired[Labels]
    annotations: NotRequired[Labels]


class Object(TypedDict):
    apiVersion: str
    kind: str
    metadata: Metadata


class LabelSelector(TypedDict):
    matchLabels: Labels


class Reference(TypedDict):
    apiVersion: str
    kind: str
    name: str


class HttpGet(TypedDict):
    path: str
    port: str
    scheme: NotRequired[Literal["HTTPS"]]


class Probe(TypedDict):
    httpGet: HttpGet
    periodSeconds: int
    timeoutSeconds: int
    failureThreshold: int


class Resources(TypedDict):
    cpu: str
    memory: str


class Container(TypedDict):
    name: str
    image: str
    imagePullPolicy: Literal["IfNotPresent"]
    command: list[str]
    args: list[str]
    env: list[dict[str, object]]
    ports: list[dict[str, str | int]]
    startupProbe: Probe
    readinessProbe: Probe
    livenessProbe: Probe
    lifecycle: dict[str, dict[str, dict[str, int]]]
    resources: dict[Literal["requests", "limits"], Resources]
    securityContext: dict[str, object]
    volumeMounts: list[dict[str, str | bool]]


class TopologySpreadConstraint(TypedDict):
    maxSkew: int
    topologyKey: str
    whenUnsatisfiable: Literal["ScheduleAnyway"]
    labelSelector: LabelSelector
    matchLabelKeys: list[str]


class Pod(TypedDict):
    serviceAccountName: str
    automountServiceAccountToken: Literal[False]
    enableServiceLinks: Literal[False]
    terminationGracePeriodSeconds: int
    securityContext: dict[str, object]
    topologySpreadConstraints: list[TopologySpreadConstraint]
    containers: list[Container]
    volumes: list[dict[str, object]]


class PodTemplate(TypedDict):
    """`spec` is a Pod with the user's own fields laid over."""

    metadata: dict[Literal["labels", "annotations"], Labels]
    spec: dict[str, Any]


class DeploymentSpec(TypedDict):
    replicas: NotRequired[int]
    revisionHistoryLimit: int
    progressDeadlineSeconds: int
    strategy: dict[str, object]
    selector: LabelSelector
    template: PodTemplate


class Deployment(Object):
    spec: DeploymentSpec


class RollbackWindow(TypedDict):
    revisions: int


class RolloutSpec(TypedDict):
    revisionHistoryLimit: int
    progressDeadlineSeconds: int
    progressDeadlineAbort: bool
    rollbackWindow: RollbackWindow
    workloadRef: Reference
    strategy: dict[Literal["canary", "blueGreen"], dict[str, object]]


class Rollout(Object):
    spec: RolloutSpec


class ServicePort(TypedDict):
    name: str
    port: int
    targetPort: str
    appProtocol: str


class ServiceSpec(TypedDict):
    selector: Labels
    ports: list[ServicePort]


class ServiceObject(Object):
    spec: ServiceSpec


class ServiceAccount(Object):
    automountServiceAccountToken: Literal[False]


class AutoscalerSpec(TypedDict):
    scaleTargetRef: Reference
    minReplicas: int
    maxReplicas: int
    metrics: list[dict[str, object]]


class Autoscaler(Object):
    spec: AutoscalerSpec


class DisruptionBudgetSpec(TypedDict):
    maxUnavailable: int
    unhealthyPodEvictionPolicy: Literal["AlwaysAllow"]
    selector: LabelSelector


class DisruptionBudget(Object):
    spec: DisruptionBudgetSpec


class ScaledObjectSpec(TypedDict):
    scaleTargetRef: Reference
    idleReplicaCount: NotRequired[Literal[0]]
    minReplicaCount: int
    maxReplicaCount: int
    fallback: dict[str, str | int]
    triggers: list[dict[str, object]]


class ScaledObject(Object):
    spec: ScaledObjectSpec


class Argument(TypedDict):
    name: str


class Metric(TypedDict):
    name: str
    initialDelay: str
    interval: str
    count: int
    successCondition: str
    failureCondition: str
    failureLimit: int
    inconclusiveLimit: int
    consecutiveErrorLimit: int
    provider: dict[Literal["prometheus"], dict[str, str]]


class AnalysisTemplateSpec(TypedDict):
    args: list[Argument]
    metrics: list[Metric]


class AnalysisTemplate(Object):
    spec: AnalysisTemplateSpec


class PodMonitorSpec(TypedDict):
    selector: LabelSelector
    podTargetLabels: list[str]
    podMetricsEndpoints: list[dict[str, object]]


class PodMonitor(Object):
    spec: PodMonitorSpec


class RouteRule(TypedDict):
    matches: list[dict[str, dict[str, str]]]
    backendRefs: list[dict[str, str | int]]


class HttpRouteSpec(TypedDict):
    parentRefs: list[dict[str, str]]
    hostnames: list[str]
    rules: list[RouteRule]


class HttpRoute(Object):
    spec: HttpRouteSpec


StringMatch: TypeAlias = dict[Literal["exact", "prefix"], str]


class Port(TypedDict):
    number: int


class Destination(TypedDict):
    host: str
    port: Port


class WeightedDestination(TypedDict):
    destination: Destination
    weight: int


class VirtualServiceRoute(TypedDict):
    name: str
    match: list[dict[Literal["uri"], StringMatch]]
    route: list[WeightedDestination]


class VirtualServiceSpec(TypedDict):
    hosts: list[str]
    gateways: list[str]
    http: list[VirtualServiceRoute]


class VirtualService(Object):
    spec: VirtualServiceSpec


class InferenceService(Object):
    """`predictor` is a pod's spec with KServe's own fields in front."""

    spec: dict[Literal["predictor"], dict[str, Any]]


class NetworkPolicySpec(TypedDict):
    podSelector: LabelSelector
    policyTypes: list[Literal["Ingress", "Egress"]]
    ingress: list[dict[str, object]]
    egress: list[dict[str, object]]


class NetworkPolicy(Object):
    spec: NetworkPolicySpec


class Kustomization(TypedDict):
    apiVersion: str
    kind: str
    resources: list[str]
