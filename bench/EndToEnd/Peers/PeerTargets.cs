using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Peers;

/// <summary>The rows of the P table that only a comparison can give: P2 against JetStream, P5 against every peer of the class.</summary>
internal static class PeerTargets
{
    private const double AgainstUnsynced = 8, AgainstSynced = 200;

    /// <summary>What the scenarios that were run give of them.</summary>
    public static IEnumerable<Judgement> Of(IEnumerable<(PeerScenario Scenario, IReadOnlyList<PeerRow> Rows)> all)
    {
        foreach ((PeerScenario scenario, IReadOnlyList<PeerRow> rows) in all)
        {
            PeerRow[] danube = [.. rows.Where(r => r.Contender.IsDanube && r.HasFigures)];
            switch (scenario.Name)
            {
                case "publish" when danube.FirstOrDefault(r => r.Contender.Durability == "fsync") is { } own:
                    foreach (PeerRow peer in rows.Where(r => r.HasFigures && r.Contender.Kind is PeerKind.Nats or PeerKind.NatsFast))
                    {
                        yield return Published(scenario, own, peer);
                    }

                    break;
                case "half":
                    foreach (PeerRow own in danube)
                    {
                        if (EndToEnd(own, [.. rows.Where(r => !r.Contender.IsDanube && r.HasFigures && r.Contender.Durability == own.Contender.Durability)]) is { } judgement)
                        {
                            yield return judgement;
                        }
                    }

                    break;
            }
        }
    }

    // The targets are for one acknowledgement per message; what fast ingest reaches stands beside them.
    private static Judgement Published(PeerScenario scenario, PeerRow own, PeerRow peer)
    {
        double[] ratios = own.RatiosTo(peer, s => s.Rate);
        double ratio = Figures.Median(ratios), target = peer.Contender.Durability == "fsync" ? AgainstSynced : AgainstUnsynced;
        bool isJudged = peer.Contender.Kind == PeerKind.Nats;
        return new Judgement(
            "P2", $"publish, {scenario.SizeBytes:N0} B, `fsync`, against {peer.Contender.Name} (`{peer.Contender.Durability}`)", Spread(ratios),
            $"{Figures.Rate(own.Rate)} against {Figures.Rate(peer.Rate)}", isJudged ? $">= {Figures.Text(target, "0")}x" : "", isJudged ? ratio >= target : null);
    }

    // The best one of the class decides, and it may be another one at p99 than at p99.9.
    private static Judgement? EndToEnd(PeerRow own, PeerRow[] peers)
    {
        if (peers.Length == 0)
        {
            return null;
        }

        PeerRow best = Best(99), bestOfTail = Best(99.9);
        double[] p99 = RatiosTo(best, 99), p999 = RatiosTo(bestOfTail, 99.9);
        return new Judgement(
            "P5", $"end to end at half of the own maximum, `{own.Contender.Durability}`, against the best peer of the class",
            $"p99 {Figures.Time(own.Percentile(99))}, {Spread(p99)}; p99.9 {Figures.Time(own.Percentile(99.9))}, {Spread(p999)}; at {Figures.Rate(own.Rate)}",
            $"{Beside(best, 99)}; {Beside(bestOfTail, 99.9)}", "better than every peer of the class", Figures.Median(p99) > 1 && Figures.Median(p999) > 1);

        PeerRow Best(double percent) => peers.MinBy(p => p.Percentile(percent))!;

        double[] RatiosTo(PeerRow peer, double percent) => peer.RatiosTo(own, s => s.Latency.Percentile(percent));

        static string Beside(PeerRow peer, double percent) =>
            $"{peer.Contender.Name} p{Figures.Text(percent, "0.#")} {Figures.Time(peer.Percentile(percent))} at {Figures.Rate(peer.Rate)}{(peer.IsSustained ? "" : ", RATE NOT SUSTAINED")}";
    }

    private static string Spread(double[] ratios) =>
        ratios.Length == 0 ? "-" : $"{Figures.Ratio(Figures.Median(ratios))} ({Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())})";
}
