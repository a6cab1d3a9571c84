using System.Text;
using Danube.Fast.Bench.Peers.Wire;
using Danube.Fast.Bench.Peers.Workers;

namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>The NATS text protocol as the bench's client reads it.</summary>
public sealed class NatsScannerTests
{
    [Fact]
    public void Operations_are_found_wherever_the_bytes_are_split()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(
            "INFO {\"version\":\"2.15.1\"}\r\nPING\r\nPONG\r\nMSG _INBOX.p 1 27\r\n{\"stream\":\"b\",\"seq\":12345} \r\n"
            + "MSG b 1 $JS.ACK.b.bench.1.7.7.1700000000.0 4\r\na\r\nb\r\nHMSG _INBOX.c 1 30 30\r\nNATS/1.0 503 No Responders\r\n\r\n\r\n"
            + "HMSG b 1 r.x 12 17\r\nNATS/1.0\r\n\r\nhello\r\nMSG b 1 0\r\n\r\n-ERR 'Slow Consumer'\r\n");
        SplitScan.AssertSame(
            bytes,
            [
                "Other||||INFO {\"version\":\"2.15.1\"}", "Ping||||PING", "Pong||||PONG", "Message|_INBOX.p|||{\"stream\":\"b\",\"seq\":12345} ",
                "Message|b|$JS.ACK.b.bench.1.7.7.1700000000.0||a\r\nb", "Message|_INBOX.c||NATS/1.0 503 No Responders\r\n\r\n|", "Message|b|r.x|NATS/1.0\r\n\r\n|hello", "Message|b|||",
                "Error||||-ERR 'Slow Consumer'",
            ],
            Scan);
    }

    [Theory]
    [InlineData("MSG b 1 x\r\n")]
    [InlineData("MSG b 1\r\n")]
    [InlineData("MSG b 1 -5\r\n")]
    [InlineData("MSG b 1 2\r\nabcd")]
    [InlineData("HMSG b 1 9 5\r\n")]
    public void What_is_not_the_protocol_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => Scan(Encoding.ASCII.GetBytes(text), out _));

    [Theory]
    [InlineData("{\"stream\":\"b\", \"seq\":77,\"domain\":\"x\"}", 77)]
    [InlineData("{\"seq\":77}", 77)]
    [InlineData("{\"stream\":\"b\"}", -1)]
    [InlineData("{\"error\":{\"code\":503},\"stream\":\"b\",\"seq\":0}", -1)]
    public void An_acknowledgement_gives_its_number_and_an_error_gives_none(string json, long expected) =>
        Assert.Equal(expected, NatsAck.Number(Encoding.ASCII.GetBytes(json), "\"seq\":"u8));

    private static int Scan(ReadOnlySpan<byte> bytes, out string text)
    {
        int length = NatsScanner.Scan(bytes, out NatsOperation found);
        text = $"{found.Kind}|{Text(found.Subject)}|{Text(found.Reply)}|{Text(found.Headers)}|{Text(found.Payload)}";
        return length;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);
}
