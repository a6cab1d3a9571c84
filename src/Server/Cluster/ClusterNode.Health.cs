using System.Globalization;

namespace Danube.Fast.Server.Cluster;

// What /readyz and operators are told.
internal sealed partial class ClusterNode
{
    /// <summary>How long a broker without a proof still counts as ready.</summary>
    public static readonly TimeSpan ReadyWithoutProof = TimeSpan.FromSeconds(60);

    private volatile string? _waitsFor;

    /// <summary>Whether this broker is a good place to send clients to, and what is wrong; the text is there before the answer turns.</summary>
    public (bool IsReady, string Reason) Readiness
    {
        get
        {
            if (!_registered.Task.IsCompleted)
            {
                // Before the first refusal, which can take a quarter of a minute, there is no cause to tell.
                return (false, _waitsFor is { } cause
                    ? $"waiting for {ClusterStores.Name(_options)}: {cause}"
                    : ClusterId.Length == 0
                    ? $"asking {ClusterStores.Name(_options)}, which has not answered yet"
                    : $"registering broker {Broker}: an older registration of it may have to end first");
            }

            if (View.Failure is { } failure)
            {
                return (false, $"the records of {ClusterStores.Name(_options)} are not followed any more, restart this broker: {failure.Message}");
            }

            if (IsProven)
            {
                return (true, "");
            }

            return (Proof.SinceLast < ReadyWithoutProof, string.Create(
                CultureInfo.InvariantCulture,
                $"no proof of its session from {ClusterStores.Name(_options)} for {Proof.SinceLast.TotalSeconds:0} s: publishes and acknowledgements wait"));
        }
    }
}
