using System.CommandLine;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>The options that make the policy of a subscription.</summary>
internal sealed class PolicyOptions
{
    private static readonly Dictionary<string, FailureAction> Actions = new()
    {
        ["retry"] = FailureAction.Retry,
        ["dead_letter"] = FailureAction.DeadLetter,
        ["drop"] = FailureAction.Drop,
        ["block"] = FailureAction.Block,
    };

    private readonly Option<string?> _ackTimeout = SharedOptions.Time(
        "--ack-timeout", "Policy of the subscription: time from taking a message to its redelivery, 0 for never", TimeSpan.FromDays(30));

    private readonly Option<long?> _maxRedeliveries = SharedOptions.Number(
        "--max-redeliveries", 1, "Policy of the subscription: redeliveries of a message before --on-failure applies.");

    private readonly Option<string?> _onFailure = new("--on-failure") { Description = "Policy of the subscription: what happens to a message then." };

    private readonly Option<string?> _deadLetterTopic = new("--dead-letter-topic")
    {
        Description = "Policy of the subscription: topic for dead_letter; without it the topic's name with -dead-letter behind it.",
    };

    public PolicyOptions()
    {
        _onFailure.AcceptOnlyFromAmong([.. Actions.Keys]);
        _maxRedeliveries.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() > ushort.MaxValue)
            {
                result.AddError($"--max-redeliveries takes at most {ushort.MaxValue}.");
            }
        });
    }

    public Option[] All => [_ackTimeout, _maxRedeliveries, _onFailure, _deadLetterTopic];

    public void AddTo(Command command)
    {
        foreach (Option option in All)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Null when none of them is given: then the subscription keeps its policy.</summary>
    public RedeliveryPolicy? Read(ParseResult parsed)
    {
        var policy = new RedeliveryPolicy
        {
            AckTimeout = SharedOptions.Time(parsed, _ackTimeout),
            MaxRedeliveries = (int?)parsed.GetValue(_maxRedeliveries),
            FailureAction = parsed.GetValue(_onFailure) is { } action ? Actions[action] : null,
            DeadLetterTopic = parsed.GetValue(_deadLetterTopic),
        };
        return policy == new RedeliveryPolicy() ? null : policy;
    }
}
