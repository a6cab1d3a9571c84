using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>
/// Calls about a topic whose partitions several brokers serve: every partition is asked about at its owner, and what nobody answers for is named, so that a part is
/// never taken for the whole.
/// </summary>
internal sealed partial class AdminApi
{
    // Of one call, to other brokers.
    private const int PartitionsAtOnce = 16;

    /// <summary>One call for each partition of a topic: here when this broker serves it, else passed on to the broker that does.</summary>
    /// <param name="context">The call.</param>
    /// <param name="whole">The topic.</param>
    /// <param name="method">Of the call.</param>
    /// <param name="action">What stands behind the topic's name in the address.</param>
    /// <param name="body">Sent along; null for none.</param>
    /// <param name="here">Does it for a partition of this broker.</param>
    /// <param name="type">Of the answer.</param>
    private async Task<PartitionAnswers<T>> AskPartitionsAsync<T>(
        HttpContext context, TopicEntry whole, HttpMethod method, string action, byte[]? body, Func<string, Task<Answer<T>>> here, JsonTypeInfo<T> type)
    {
        // By the definition: a partition whose record cannot be read is missing in the answer, and not in the topic.
        string[] partitions = ClusterCatalog.LogsOf(whole.Definition);
        var answers = new Answer<T>[partitions.Length];
        await Parallel.ForAsync(0, partitions.Length, new ParallelOptions { MaxDegreeOfParallelism = PartitionsAtOnce, CancellationToken = context.RequestAborted }, async (i, _) =>
            answers[i] = load.Source.OwnerElsewhere(partitions[i]) is { } owner
                ? await AskOwnerAsync(context, owner, method, $"{TopicsPath}{partitions[i]}{action}", body, type)
                : await here(partitions[i]));
        return new PartitionAnswers<T>(partitions, answers);
    }

    /// <summary>Does the same in each partition of a topic and answers with what came of it.</summary>
    /// <param name="context">The call.</param>
    /// <param name="what">How it is counted.</param>
    /// <param name="whole">The topic.</param>
    /// <param name="action">What stands behind the topic's name in the address.</param>
    /// <param name="body">Sent along; null for none.</param>
    /// <param name="here">Does it for a partition of this broker.</param>
    /// <param name="type">Of the answer of a partition.</param>
    /// <param name="change">The answer of a partition as part of the whole.</param>
    /// <param name="notNeeded">A refusal that means that there was nothing to do in a partition.</param>
    private async Task ChangePartitionsAsync<T>(
        HttpContext context, string what, TopicEntry whole, string action, byte[]? body, Func<string, Task<Answer<T>>> here, JsonTypeInfo<T> type, Func<string, T, PartitionChange> change, ErrorCode notNeeded = ErrorCode.None)
    {
        PartitionAnswers<T> answers = await AskPartitionsAsync(context, whole, new HttpMethod(context.Request.Method), action, body, here, type);
        PartitionChange[] done = [.. answers.Values.Select(v => change(v.Partition, v.Value))];
        Answer<PartitionedChangeReply> reply = answers.Refusal is { } refusal ? refusal : new PartitionedChangeReply(
            whole.Name.Full, Array.Exists(done, c => c.Skipped is not null) ? done.Sum(c => c.Skipped) : null, done, answers.MissingBut(notNeeded));
        await AnswerAsync(context, what, reply, HttpJson.Default.PartitionedChangeReply);
    }

    private async Task<Answer<T>> AskOwnerAsync<T>(HttpContext context, string owner, HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> type)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(ForwardPatience);
        try
        {
            using HttpRequestMessage request = Passed(context, method, owner, path);
            if (body is not null)
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.TryAddWithoutValidation("Content-Type", JsonType);
            }

            using HttpResponseMessage answer = await load.Peers.Http.SendAsync(request, patience.Token);
            if (answer.IsSuccessStatusCode)
            {
                return await answer.Content.ReadFromJsonAsync(type, patience.Token) is { } value ? value : Silent(owner, "its answer is empty");
            }

            HttpErrorReply? error = await answer.Content.ReadFromJsonAsync(HttpJson.Default.HttpErrorReply, patience.Token);
            return error is null ? Silent(owner, answer.StatusCode.ToString()) : new Refusal(ErrorCodes.Parse(error.Code), error.Message);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or UriFormatException or NotSupportedException || (e is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            return Silent(owner, e.Message);
        }
    }

    /// <summary>The partitions of which neither this broker nor one of those that answered has said anything; null when there is none.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="brokers">host:port of the other brokers that answered.</param>
    /// <param name="spokenOf">The partitions that are in the answers, where those say so; null: a broker has spoken of all that it has.</param>
    private MissingPartition[]? Unanswered(string topic, HashSet<string> brokers, HashSet<string>? spokenOf = null)
    {
        var missing = new List<MissingPartition>();
        foreach (string name in topics.Find(topic).Value is { } whole ? ClusterCatalog.LogsOf(whole.Definition) : [])
        {
            string? owner = load.Source.OwnerElsewhere(name);
            Answer<TopicEntry> here = topics.Find(name);
            if (!(spokenOf?.Contains(name) ?? (owner is null ? here.Value?.Topic is not null : brokers.Contains(owner))))
            {
                missing.Add(new MissingPartition(
                    name,
                    here.TryGet(out TopicEntry? partition, out Refusal? refusal) ? WhySilent(partition, owner, brokers) : refusal.Message));
            }
        }

        return missing.Count > 0 ? [.. missing] : null;
    }

    private string WhySilent(TopicEntry partition, string? owner, HashSet<string> brokers) =>
        owner is null ? topics.Lookup?.RefusalFor(partition.Definition).Message ?? $"Topic {partition.Name} could not be opened: the log of the broker says why."
        : brokers.Contains(owner) ? $"The broker at {owner} has it, and has not opened it yet."
        : Silent(owner).Message;

    private static Refusal Silent(string owner, string? why = null) =>
        new(ErrorCode.Unavailable, $"The broker at {owner}, which has it, does not answer{(why is null ? "" : $" ({why.TrimEnd('.')})")}.");

    /// <summary>What came of a call for each partition.</summary>
    private sealed class PartitionAnswers<T>(string[] partitions, Answer<T>[] answers)
    {
        /// <summary>The answers that there are, in order of partition.</summary>
        public IEnumerable<(string Partition, T Value)> Values => partitions.Zip(answers).Where(a => a.Second.Refusal is null).Select(a => (a.First, a.Second.Value!));

        /// <summary>The partitions without one, and why; null when there is none.</summary>
        public MissingPartition[]? Missing => MissingBut(ErrorCode.None);

        /// <summary>The same without those that were refused with this code.</summary>
        public MissingPartition[]? MissingBut(ErrorCode code)
        {
            MissingPartition[] missing = [.. partitions.Zip(answers).Where(a => a.Second.Refusal is { } refusal && refusal.Code != code).Select(a => new MissingPartition(a.First, a.Second.Refusal!.Message))];
            return missing.Length > 0 ? missing : null;
        }

        /// <summary>The refusal of the whole, when not one partition could be asked; null when one could. That nobody has what was asked for counts only when all say so.</summary>
        public Refusal? Refusal => answers.Length == 0 || Array.Exists(answers, a => a.Refusal is null) ? null
            : (Array.Find(answers, a => a.Refusal!.Code != ErrorCode.SubscriptionNotFound).Refusal ?? answers[0].Refusal);
    }
}
