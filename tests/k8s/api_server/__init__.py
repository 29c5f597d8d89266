"""A small Kubernetes API server in memory, enough for the real kubectl and for pods that use the API.

It keeps objects and refuses what a cluster refuses: unknown fields and kinds, changes of what is
immutable, pods that break Pod Security, requests that no Role allows. It has no controllers and makes no
pods: a workload counts as rolled out at once, and a namespace that is deleted goes when somebody next asks
for it. It fills in hardly any defaults, and lets managers of server-side apply overrule each other.
"""
