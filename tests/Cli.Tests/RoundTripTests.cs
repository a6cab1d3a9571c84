using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Danube.Fast.Cli.Tests;

/// <summary>danube-cli as a process against a real broker.</summary>
public sealed partial class RoundTripTests(Broker broker) : IClassFixture<Broker>
{
    private const int InterruptSignal = 2;

    [Fact]
    public async Task A_file_comes_back_byte_for_byte()
    {
        var bytes = new byte[2_000_000];
        new Random(5).NextBytes(bytes);
        bytes[^1] = (byte)'\n';
        byte[] file = [.. "text\r\nünïcode \ud83d\ude00\n\n\n"u8, 0xff, 0xfe, 0, (byte)'\n', .. bytes];
        CliResult produced = await broker.RunCliAsync("produce --topic /files/binary", file);
        Assert.Equal((0, ""), (produced.ExitCode, produced.Faults));
        CliResult consumed = await broker.RunCliAsync("consume --topic /files/binary --until-end");
        Assert.Equal((0, ""), (consumed.ExitCode, consumed.Error));
        Assert.True(file.AsSpan().SequenceEqual(consumed.Output), $"{file.Length} bytes went in, {consumed.Output.Length} came out.");
    }

    [Fact]
    public async Task A_missing_final_newline_can_be_given_back()
    {
        string path = Path.Combine(broker.Folder, "unterminated");
        await File.WriteAllTextAsync(path, "one\ntwo");
        Assert.Equal(0, (await broker.RunCliAsync($"produce --topic /files/unterminated --file {path}")).ExitCode);
        Assert.Equal("one\ntwo\n", (await broker.RunCliAsync("consume --topic /files/unterminated --until-end")).Text);
        Assert.Equal("one\ntwo", (await broker.RunCliAsync("consume --topic /files/unterminated --until-end --no-final-newline")).Text);
    }

    [Fact]
    public async Task An_empty_topic_ends_at_once()
    {
        Assert.Equal(0, (await broker.RunCliAsync("produce --topic /files/empty", [])).ExitCode);
        CliResult consumed = await broker.RunCliAsync("consume --topic /files/empty --until-end");
        Assert.Equal((0, 0), (consumed.ExitCode, consumed.Output.Length));
    }

    [Fact]
    public async Task Keys_offsets_and_formats_are_printed()
    {
        await broker.RunCliAsync("produce --topic /t/keys --key-from split:,", "a,1\nb,2\nnone\n"u8.ToArray());
        await broker.RunCliAsync("produce --topic /t/keys --key-from json:id", "{\"id\":\"j\"}\n"u8.ToArray());
        Assert.Equal(
            "0:a=1;1:b=2;2:=none;3:j={\"id\":\"j\"};",
            (await broker.RunCliAsync("consume --topic /t/keys --until-end --format {offset}:{key}={payload};")).Text);
        CliResult fields = await broker.RunCliAsync(
            "consume --topic /t/keys --count 1 --format {partition},{generation},{redelivery},{event_time},{publish_time},{append_time}\\n");
        long[] numbers = [.. fields.Text.Trim().Split(',').Select(long.Parse)];
        Assert.Equal(0, numbers[0]);
        Assert.Equal(0, numbers[2]);
        Assert.Equal(0, numbers[3]);
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(numbers[4] / 1000), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        Assert.InRange(numbers[5], numbers[4] - 1_000_000, numbers[4] + 3_600_000_000);
    }

    [Fact]
    public async Task Payloads_can_be_written_as_hex_and_base64()
    {
        await broker.RunCliAsync("produce --topic /t/encoded --encoding hex --message 000aff");
        await broker.RunCliAsync("produce --topic /t/encoded --encoding base64 --compression brotli --batch 4K", "AAr/\n"u8.ToArray());
        Assert.Equal("000aff\n000aff\n", (await broker.RunCliAsync("consume --topic /t/encoded --until-end --encoding hex")).Text);
        CliResult refused = await broker.RunCliAsync("produce --topic /t/encoded --encoding hex", "00\nzz\n"u8.ToArray());
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("Message 2 is not hex", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscription_keeps_its_place()
    {
        await broker.RunCliAsync("produce --topic /t/place --count 10", Lines(1, 20));
        Assert.Equal("1\n2\n3\n", (await broker.RunCliAsync("consume --topic /t/place --subscription s --count 3")).Text);
        Assert.Equal("4\n5\n", (await broker.RunCliAsync("consume --topic /t/place --subscription s --count 2 --no-ack")).Text);
        Assert.Equal("4\n5\n6\n7\n8\n9\n10\n", (await broker.RunCliAsync("consume --topic /t/place --subscription s --type exclusive --until-end")).Text);
        Assert.Equal("", (await broker.RunCliAsync("consume --topic /t/place --subscription s --until-end")).Text);
    }

    [Fact]
    public async Task Looking_without_acknowledging_ends_at_the_brokers_window()
    {
        const int messages = 1_100_000;
        await broker.RunCliAsync("produce --topic /t/window --durability os", Lines(0, messages));
        CliResult whole = await broker.RunCliAsync("consume --topic /t/window --no-ack --until-end");
        Assert.Equal((0, messages), (whole.ExitCode, whole.Output.AsSpan().Count((byte)'\n')));
        CliResult stuck = await broker.RunCliAsync("consume --topic /t/window --subscription kept --no-ack --until-end");
        Assert.Equal(1, stuck.ExitCode);
        Assert.Contains("max_ack_window", stuck.Error, StringComparison.Ordinal);
        Assert.InRange(stuck.Output.AsSpan().Count((byte)'\n'), 1_000_000, messages - 1);
    }

    [Fact]
    public async Task A_start_position_is_obeyed()
    {
        await broker.RunCliAsync("produce --topic /t/start", Lines(0, 10));
        Assert.Equal("7\n8\n9\n", (await broker.RunCliAsync("consume --topic /t/start --from offset:7 --until-end")).Text);
        Assert.Equal("", (await broker.RunCliAsync("consume --topic /t/start --from latest --until-end")).Text);
        Assert.Equal("0\n", (await broker.RunCliAsync("consume --topic /t/start --from time:2020-01-01 --count 1")).Text);
    }

    [Fact]
    public async Task Two_consumers_share_a_subscription()
    {
        await broker.RunCliAsync("produce --topic /t/shared", Lines(0, 2000));
        CliResult[] both = await Task.WhenAll(
            broker.RunCliAsync("consume --topic /t/shared --subscription both --type shared --until-end"),
            broker.RunCliAsync("consume --topic /t/shared --subscription both --type shared --until-end"));
        string[] all = [.. both.SelectMany(r => r.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)).OrderBy(int.Parse)];
        Assert.All(both, r => Assert.Equal(0, r.ExitCode));
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => i.ToString()), all.Distinct());
    }

    [Fact]
    public async Task Messages_arrive_while_the_producer_still_waits_for_input()
    {
        using Process consumer = broker.StartCli("consume --topic /t/live");
        using Process producer = broker.StartCli("produce --topic /t/live --rate 1000");
        await producer.StandardInput.WriteAsync("now\n");
        await producer.StandardInput.FlushAsync();
        Assert.Equal("now", await consumer.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)));

        // Ctrl-C ends the consumer in the way it is meant to end; the producer has not come to the end of its input.
        SendSignal(consumer.Id, InterruptSignal);
        SendSignal(producer.Id, InterruptSignal);
        await Task.WhenAll(consumer.WaitForExitAsync(), producer.WaitForExitAsync()).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((0, 130), (consumer.ExitCode, producer.ExitCode));
        CliResult topic = await broker.RunCliAsync("topics describe /t/live");
        Assert.DoesNotContain("cli-", topic.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_goes_away_ends_the_consumer_quietly()
    {
        await broker.RunCliAsync("produce --topic /t/head", Lines(0, 200_000));
        using Process consumer = broker.StartCli("consume --topic /t/head --subscription s");
        Assert.Equal("0", await consumer.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)));
        consumer.StandardOutput.Close();
        await consumer.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((0, ""), (consumer.ExitCode, await consumer.StandardError.ReadToEndAsync()));
        string rest = (await broker.RunCliAsync("consume --topic /t/head --subscription s --until-end")).Text;
        Assert.EndsWith("199999\n", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topics_are_looked_after()
    {
        Assert.Equal("created /made/here", (await broker.RunCliAsync("topics create /made/here --durability os")).Text.Trim());
        CliResult again = await broker.RunCliAsync("topics create /made/here --durability memory");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("topic_exists", again.Error, StringComparison.Ordinal);
        Assert.Contains("/made/here  os", (await broker.RunCliAsync("topics list --namespace made")).Text, StringComparison.Ordinal);
        Assert.Contains("durability  os", (await broker.RunCliAsync("topics describe /made/here")).Text, StringComparison.Ordinal);
        Assert.Equal(0, (await broker.RunCliAsync("topics delete /made/here")).ExitCode);
        CliResult gone = await broker.RunCliAsync("topics describe /made/here");
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("topic_not_found", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ping_answers_as_often_as_asked()
    {
        CliResult ping = await broker.RunCliAsync("ping --count 2");
        Assert.Equal(0, ping.ExitCode);
        Assert.Equal(2, ping.Text.Split('\n').Count(l => l.EndsWith(" ms", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_admin_tool_sees_what_the_other_one_made()
    {
        await broker.RunCliAsync("produce --topic /admin/seen", Lines(0, 5));
        (int exitCode, string output, _) = await UsageTests.RunAsync(
            AdminCli.AdminCommandLine.RunAsync, $"topics describe /admin/seen --url {broker.Http}");
        Assert.Equal(0, exitCode);
        Assert.Contains("durable_end", output, StringComparison.Ordinal);
        foreach (string line in (string[])["topics list", "topics create /admin/made", "topics delete /admin/made", "brokers list", "health"])
        {
            (exitCode, _, string error) = await UsageTests.RunAsync(AdminCli.AdminCommandLine.RunAsync, $"{line} --url {broker.Http}");
            Assert.Equal((0, ""), (exitCode, error));
        }
    }

    private static byte[] Lines(int first, int count) =>
        Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(first, count).Select(i => i + "\n")));

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
