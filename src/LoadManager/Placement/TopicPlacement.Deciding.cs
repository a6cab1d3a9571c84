using System.Globalization;

namespace Danube.Fast.LoadManager;

// The steps of one decision: hard filters, wishes, then the score.
public sealed partial class TopicPlacement
{
    // A step names at most so many brokers.
    private const int MostNamed = 10;

    private PlacementDecision Decide(PlacementRequest request)
    {
        var steps = new List<string>();
        BoardView board = _board.View;
        List<BrokerState> active = ActiveAndFresh(board, steps);
        BrokerState[] all = [.. active];
        (ExpectedLoad expected, string source) = ExpectedLoads.Of(request.Topic.Full, request.PreviousBroker, request.Requirements, board, all);
        steps.Add($"expected load: {source}");

        Dictionary<long, Candidate> scored = Score(all);
        List<Candidate> left = HardFilters(request, [.. active.Where(b => !b.HasUnreadable).Select(b => scored[b.Id])], steps);
        left = Wishes(request, left, steps);
        Candidate? chosen = Choose(left, steps);
        return new PlacementDecision
        {
            Topic = request.Topic.Full,
            Broker = chosen?.Broker.Id,
            At = _board.Clock.GetUtcNow(),
            Expected = expected,
            Steps = steps,
            Candidates = [.. left.Take(PlacementDecision.MaxCandidates).Select(c => new PlacementCandidate(c.Broker.Id, c.Score, c.Topics, c.TopicsPerCore, c.Missing))],
        };
    }

    private List<BrokerState> ActiveAndFresh(BoardView board, List<string> steps)
    {
        var active = new List<BrokerState>();
        List<long> inactive = [], stale = [];
        long now = _board.Clock.GetTimestamp();
        foreach (BrokerState broker in board.Brokers)
        {
            List<long>? passed = !broker.IsActive ? inactive : !_ranker.IsFresh(broker, _board.Clock, now) ? stale : null;
            if (passed is null)
            {
                active.Add(broker);
            }

            passed?.Add(broker.Id);
        }

        steps.Add($"{active.Count} of {board.Brokers.Length} brokers are active with a fresh report{Named("not active", inactive)}{Named("stale", stale)}");
        foreach (BrokerState broker in active.Where(b => b.HasUnreadable))
        {
            steps.Add($"broker {broker.Id} receives nothing: no reading of {string.Join(", ", broker.Unreadable.Select(r => r.ReportName()))} in three reports or more");
        }

        return active;
    }

    // Scores of all active brokers on measured and pending load, without the number of topics.
    private Dictionary<long, Candidate> Score(BrokerState[] brokers)
    {
        int[] missing = new int[brokers.Length];
        double[] scores = new double[brokers.Length];
        var matrix = new LoadMatrix(brokers, missing);
        try
        {
            matrix.FillMissing();
            for (int i = 0; i < brokers.Length; i++)
            {
                (ExpectedLoad pending, ExpectedLoad declared) = _book.Unmeasured(brokers[i]);
                (pending + declared).AddTo(ref matrix, i, brokers[i]);
            }

            _ranker.ScoreInto(ref matrix, brokers, scores, withTopics: false);
        }
        finally
        {
            matrix.Dispose();
        }

        // Topics per core only where every broker says how many cores it has.
        bool isByCores = Array.TrueForAll(brokers, b => b.Capacity.Cores is > 0);
        var byId = new Dictionary<long, Candidate>(brokers.Length);
        for (int i = 0; i < brokers.Length; i++)
        {
            byId[brokers[i].Id] = new Candidate(brokers[i], scores[i], _book.Count(brokers[i].Id), isByCores ? brokers[i].Capacity.Cores!.Value : 1, missing[i]);
        }

        return byId;
    }

    private List<Candidate> HardFilters(PlacementRequest request, List<Candidate> all, List<string> steps)
    {
        HashSet<long> avoided = [.. _affinity.Of(request.Topic.Full).SelectMany(g => g.AvoidBrokers)];
        var filters = new PlacementFilters(request.Requirements, MedianP99(all), _book.Unmeasured);
        var refused = new Dictionary<long, string>();
        foreach (Candidate candidate in filters.HasRequirements ? all : [])
        {
            if (filters.Refusal(candidate.Broker) is { } refusal)
            {
                refused[candidate.Broker.Id] = refusal;
            }
        }

        steps.AddRange(refused.Take(MostNamed).Select(r => $"requirements: not broker {r.Key}, {r.Value}"));
        if (refused.Count > MostNamed)
        {
            steps.Add($"requirements: nor {refused.Count - MostNamed} more");
        }

        if (avoided.Count > 0)
        {
            steps.Add($"avoid_brokers: {string.Join(", ", avoided.Order())}");
        }

        List<Candidate> left = [.. all.Where(c => !refused.ContainsKey(c.Broker.Id) && !avoided.Contains(c.Broker.Id))];
        if (left.Count > 0 || all.Count == 0)
        {
            return left;
        }

        left = [.. all.Where(c => !refused.ContainsKey(c.Broker.Id))];
        if (left.Count > 0)
        {
            steps.Add("nobody is left: avoid_brokers is dropped");
            return left;
        }

        left = [.. all.Where(c => !avoided.Contains(c.Broker.Id))];
        steps.Add(left.Count > 0 ? "nobody is left: the requirements are dropped" : "nobody is left: avoid_brokers and the requirements are dropped");
        return left.Count > 0 ? left : all;
    }

    private List<Candidate> Wishes(PlacementRequest request, List<Candidate> left, List<string> steps)
    {
        foreach (AffinityGroup group in _affinity.Of(request.Topic.Full).Where(g => g.PreferBrokers.Count > 0))
        {
            List<Candidate> preferred = [.. left.Where(c => group.PreferBrokers.Contains(c.Broker.Id))];
            if (preferred.Count > 0)
            {
                steps.Add($"group {group.Name} prefers {string.Join(", ", preferred.Select(c => c.Broker.Id))}");
                left = preferred;
                break;
            }

            steps.Add($"group {group.Name} prefers brokers that are not candidates: passed over");
        }

        if (_options.PlacementRules.ReplicaAntiAffinity && request.PartitionOf is { } whole && left.Count > 1)
        {
            int fewest = left.Min(c => _book.CountOfPartitions(c.Broker.Id, whole));
            List<Candidate> spread = [.. left.Where(c => _book.CountOfPartitions(c.Broker.Id, whole) == fewest)];
            if (spread.Count < left.Count)
            {
                steps.Add($"partitions of {whole}: {spread.Count} brokers have the fewest ({fewest})");
                left = spread;
            }
        }

        return _options.PlacementRules.NamespaceAffinity ? NamespaceAffinity(request, left, steps) : left;
    }

    private List<Candidate> NamespaceAffinity(PlacementRequest request, List<Candidate> left, List<string> steps)
    {
        double best = left.Count == 0 ? 0 : left.Min(c => c.Score);
        Candidate? home = left.Where(c => c.Score <= best + RankingRules.AffinityScores)
            .Select(c => (Candidate: c, Count: _book.CountOfNamespace(c.Broker.Id, request.Topic.Namespace)))
            .Where(c => c.Count > 0)
            .OrderByDescending(c => c.Count).ThenBy(c => c.Candidate.Score).ThenBy(c => c.Candidate.Broker.Id)
            .Select(c => c.Candidate).FirstOrDefault();
        if (home is null)
        {
            return left;
        }

        steps.Add($"namespace {request.Topic.Namespace} is mostly with broker {home.Broker.Id}, which is nearly as good as the best");
        return [home];
    }

    // Sorts the candidates, best first, and takes the first: among nearly equal scores the one with the fewest topics per core.
    private static Candidate? Choose(List<Candidate> left, List<string> steps)
    {
        if (left.Count == 0)
        {
            steps.Add("nobody is left");
            return null;
        }

        double limit = left.Min(c => c.Score) + RankingRules.EqualScores;
        left.Sort((a, b) =>
        {
            bool isEqualA = a.Score <= limit, isEqualB = b.Score <= limit;
            int order = isEqualB.CompareTo(isEqualA);
            order = order != 0 || !isEqualA ? order : a.TopicsPerCore.CompareTo(b.TopicsPerCore);
            order = order != 0 ? order : a.Score.CompareTo(b.Score);
            return order != 0 ? order : a.Broker.Id.CompareTo(b.Broker.Id);
        });
        int equal = left.Count(c => c.Score <= limit);
        steps.Add(string.Create(CultureInfo.InvariantCulture, $"{equal} within {RankingRules.EqualScores} of the best score; broker {left[0].Broker.Id} has the fewest topics per core of them ({left[0].TopicsPerCore:0.##})"));
        return left[0];
    }

    private static double? MedianP99(List<Candidate> all)
    {
        double[] known = [.. all.Select(c => c.Broker.Report!.PublishP99Ms).OfType<double>().Order()];
        return known.Length == 0 ? null
            : known.Length % 2 == 1 ? known[known.Length / 2]
            : (known[(known.Length / 2) - 1] + known[known.Length / 2]) / 2;
    }

    private static string Named(string what, List<long> ids)
    {
        string more = ids.Count > MostNamed ? ", ..." : "";
        return ids.Count == 0 ? "" : $"; {what}: {string.Join(", ", ids.Take(MostNamed))}{more}";
    }

    private sealed class Candidate(BrokerState broker, double score, int topics, double cores, int missing)
    {
        public BrokerState Broker { get; } = broker;
        public double Score { get; } = score;
        public int Topics { get; } = topics;
        public double TopicsPerCore { get; } = topics / cores;
        public IReadOnlyList<string> Missing => [.. new RankedBroker(Broker.Id, Score, BrokerStanding.Ranked, missing).MissingNames()];
    }
}
