using System.Runtime.InteropServices;
using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Peers;

/// <summary>The rounds of all scenarios: in each round every contender has its turn, one after the other.</summary>
internal sealed partial class PeersRun(IReadOnlyList<Contender> contenders, PeerPlan plan)
{
    // The rates of open-loop scenarios come from this one.
    public const string MaximumFrom = "consume";

    private readonly Dictionary<Contender, double> _maximum = [];

    /// <summary>Rows of one scenario.</summary>
    public async Task<IReadOnlyList<PeerRow>> MeasureAsync(PeerScenario scenario, CancellationToken cancellation)
    {
        PeerRow[] rows = [.. contenders.Where(c => c.Joins(scenario) && (scenario.Shape != LoadShape.Paced || _maximum.ContainsKey(c))).Select(c => new PeerRow(c))];
        for (int round = 0; round < plan.Rounds; round++)
        {
            // Nobody is always the one after the same neighbour.
            for (int i = 0; i < rows.Length; i++)
            {
                PeerRow row = rows[(i + round) % rows.Length];
                LiveProgress.Show($"{scenario.Name}: round {round + 1} of {plan.Rounds}: {row.Contender.Name}, {row.Contender.Durability}");
                await MeasureAsync(scenario, row, cancellation);
            }
        }

        LiveProgress.Clear();
        foreach (PeerRow row in rows.Where(r => scenario.Name == MaximumFrom && r.HasFigures))
        {
            _maximum[row.Contender] = row.Rate;
        }

        return rows;
    }

    private async Task MeasureAsync(PeerScenario scenario, PeerRow row, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();

        // What the one before has left in the page cache is not on the next one's account.
        Sync();
        try
        {
            await using ContenderSession session = await row.Contender.StartAsync(scenario, RateOf(scenario, row.Contender), plan);
            PeerSample sample = await session.MeasureAsync(plan, cancellation);
            if (sample.Rate > 0)
            {
                row.Add(sample);
            }
            else
            {
                row.Fail("Nothing went through in the measured window.");
            }
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidDataException or IOException or System.Net.Sockets.SocketException)
        {
            row.Fail(e.Message);
        }
    }

    private double RateOf(PeerScenario scenario, Contender contender) => scenario.Shape != LoadShape.Paced ? 0
        : scenario.IsCommonRate ? _maximum.Where(m => m.Key.Durability == contender.Durability && m.Key.Joins(scenario)).Min(m => m.Value) / 2
        : _maximum[contender] / 2;

    [LibraryImport("libc", EntryPoint = "sync")]
    private static partial void Sync();
}
