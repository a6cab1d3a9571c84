namespace Danube.Fast.LoadManager;

/// <summary>Whether the process runs in a container, and what shows it.</summary>
/// <param name="IsContainer">True when the control group is what limits the process.</param>
/// <param name="Reason">What was seen, for the log.</param>
internal readonly record struct ContainerEvidence(bool IsContainer, string Reason)
{
    /// <summary>Looks for Kubernetes, Docker, Podman, and for a limit of the control group below the machine.</summary>
    public static ContainerEvidence Find(MonitorEnvironment environment, bool hasLimit)
    {
        if (!string.IsNullOrEmpty(environment.Variable("KUBERNETES_SERVICE_HOST")))
        {
            return new ContainerEvidence(true, "KUBERNETES_SERVICE_HOST is set");
        }

        foreach (string path in (string[])["/var/run/secrets/kubernetes.io", "/.dockerenv", "/run/.containerenv"])
        {
            if (Path.Exists(environment.At(path)))
            {
                return new ContainerEvidence(true, path + " exists");
            }
        }

        return hasLimit ? new ContainerEvidence(true, "the control group has a limit below the machine") : new ContainerEvidence(false, "no sign of a container");
    }
}
