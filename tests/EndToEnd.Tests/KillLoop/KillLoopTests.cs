using System.Diagnostics;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// kill -9 in a loop under mixed load, also while the broker starts, stops, creates, deletes, seeks and purges. After every restart: all acknowledged messages are
/// there at their offsets, offsets are dense, nothing was invented, idempotent producers left no duplicate, cursors are not ahead of the acknowledgements.
/// </summary>
public class KillLoopTests
{
    // A repeating order, so that each moment has its share however many rounds there are.
    private static readonly KillMoment[] Moments =
    [
        KillMoment.Load, KillMoment.Start, KillMoment.CreateDelete, KillMoment.Load, KillMoment.Stop,
        KillMoment.Seek, KillMoment.Load, KillMoment.Ready, KillMoment.Purge, KillMoment.CleanStop,
    ];

    private readonly Random _random = new(30);
    private readonly KillReport _report = new();
    private readonly BrokerOptions _options;
    private readonly DataFolder _data = new();
    private long _startedAt;

    public KillLoopTests()
    {
        _options = new BrokerOptions
        {
            DataDirectory = _data.Path,
            Port = BrokerOptions.FreePort(),
            Environment = new Dictionary<string, string>
            {
                ["DANUBE__WAL__SEGMENT_BYTES"] = "256KiB",
                ["DANUBE__WAL__JOURNAL_BYTES"] = "1MiB", // Goes round many times.
                ["DANUBE__WAL__LOW_SPACE_BYTES"] = "0",
                ["DANUBE__TIMEOUTS__DRAIN_MS"] = "300",
            },
        };
    }

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("DANUBE_KILL_ROUNDS"), out int rounds) ? rounds : LongMode.Pick(30, 1_000);

    [Fact(Timeout = 3_600_000)]
    public async Task KillsUnderMixedLoadLoseNothing()
    {
        string result = "FAILED";
        try
        {
            await RunAsync();
            result = "0 acknowledged messages lost, 0 duplicates, 0 invented, offsets dense, no cursor ahead";
        }
        catch (Exception e)
        {
            result = "FAILED: " + e.Message.Split('\n')[0];
            throw;
        }
        finally
        {
            _report.Write(result);
            _data.Dispose();
        }
    }

    private async Task RunAsync()
    {
        BrokerProcess broker = await StartAsync();
        KillLoad? load = null;
        try
        {
            load = await KillLoad.StartAsync(broker.Url);
            for (int round = 0; round < Rounds; round++)
            {
                KillMoment moment = Moments[round % Moments.Length];
                TimeSpan duration = TimeSpan.FromMilliseconds(_random.Next(250, LongMode.Pick(900, 600)));
                BrokerProcess running = broker;
                await load.RunRoundAsync(running, round, moment, _random, () => EndAsync(running, moment, duration)).WaitAsync(TimeSpan.FromSeconds(90));
                await broker.DisposeAsync();
                broker = await RestartAsync(moment);
                await using DanubeClient auditor = await RecoveredAsync(broker);
                await load.AuditAsync(auditor, _report.Starts).WaitAsync(TimeSpan.FromSeconds(120));
                BrokerMetrics metrics = await BrokerMetrics.ReadAsync(broker.Http);
                Assert.Equal(0, metrics.Sum("danube_wal_damages_total"));
                Assert.Equal(0, metrics.Sum("danube_wal_poisoned_total"));
                Assert.Equal(0, metrics.Sum("danube_wal_journal_damaged_bytes_total"));
                _report.OnScanned((long)metrics.Sum("danube_wal_recovered_logs_total"), (long)metrics.Sum("danube_wal_recovery_scanned_bytes_total"), (long)metrics.Sum("danube_wal_recovery_left_behind_bytes_total"));
                _report.AuditedRounds++;
            }

            await using DanubeClient last = await DanubeClient.ConnectAsync(broker.Url);
            await load.FinishAsync(last, _report.Starts, _report);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"round {_report.AuditedRounds}: {e.Message} The broker's last lines:\n{broker.Output}", e);
        }
        finally
        {
            await broker.DisposeAsync();
            if (load is not null)
            {
                await load.DisposeAsync();
            }
        }
    }

    private async Task EndAsync(BrokerProcess broker, KillMoment moment, TimeSpan duration)
    {
        await Task.Delay(duration);
        switch (moment)
        {
            case KillMoment.CleanStop:
                Assert.Equal(0, await broker.StopAsync());
                _report.OnEnd(KillMoment.CleanStop);
                return;
            case KillMoment.Stop:
                broker.Terminate();
                await Task.Delay(_random.Next(0, 350));
                _report.OnEnd(broker.HasExited ? KillMoment.CleanStop : KillMoment.Stop);
                break;
            default:
                _report.OnEnd(moment is KillMoment.Start or KillMoment.Ready ? KillMoment.Load : moment);
                break;
        }

        await broker.KillAsync();
    }

    // Dies on the way up where that is the moment.
    private async Task<BrokerProcess> RestartAsync(KillMoment moment)
    {
        if (moment == KillMoment.Start)
        {
            await KillWhileStartingAsync();
            await KillWhileStartingAsync();
        }
        else if (moment == KillMoment.Ready)
        {
            await using BrokerProcess broker = await StartAsync();
            _report.OnStarted(Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds, null);
            await Task.Delay(_random.Next(0, 100));
            _report.OnEnd(KillMoment.Ready);
        }

        return await StartAsync();
    }

    private async Task KillWhileStartingAsync()
    {
        TimeSpan life = TimeSpan.FromMilliseconds(_report.TypicalListenMs * (0.4 + (_random.NextDouble() * 0.6)));
        bool wasStarting = await BrokerProcess.KillWhileStartingAsync(_options, life);
        _report.OnEnd(wasStarting ? KillMoment.Start : KillMoment.Ready);
        if (!wasStarting)
        {
            _report.OnStarted(null, null);
        }
    }

    private Task<BrokerProcess> StartAsync()
    {
        _startedAt = Stopwatch.GetTimestamp();
        return BrokerProcess.StartAsync(_options);
    }

    private async Task<DanubeClient> RecoveredAsync(BrokerProcess broker)
    {
        double listening = Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds;
        DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await KillLoad.ProbeAsync(client);
        _report.OnStarted(listening, Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds);
        return client;
    }
}
