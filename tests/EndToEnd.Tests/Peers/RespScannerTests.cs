using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>RESP as the bench's client reads it.</summary>
public sealed class RespScannerTests
{
    [Fact]
    public void Tokens_are_found_wherever_the_bytes_are_split()
    {
        // Replies of PING, XADD, XREADGROUP with one entry, XREADGROUP that waited in vain, a missing value, XACK and an error.
        byte[] bytes = Encoding.ASCII.GetBytes(
            "+PONG\r\n$15\r\n1700000000000-0\r\n*1\r\n*2\r\n$1\r\nb\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nm\r\n$4\r\na\r\nb\r\n*-1\r\n$-1\r\n:500\r\n$0\r\n\r\n-ERR no such key\r\n");
        SplitScan.AssertSame(
            bytes,
            [
                "Simple 0 PONG", "Bulk 0 1700000000000-0", "Array 1 ", "Array 2 ", "Bulk 0 b", "Array 1 ", "Array 2 ", "Bulk 0 1-0", "Array 2 ", "Bulk 0 m", "Bulk 0 a\r\nb", "Null 0 ", "Null 0 ",
                "Integer 500 ", "Bulk 0 ", "Error 0 ERR no such key",
            ],
            Scan);
    }

    [Theory]
    [InlineData("?\r\n")]
    [InlineData(":12x\r\n")]
    [InlineData("$\r\n")]
    [InlineData("$2\r\nabcd")]
    public void What_is_not_the_protocol_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => Scan(Encoding.ASCII.GetBytes(text), out _));

    private static int Scan(ReadOnlySpan<byte> bytes, out string text)
    {
        int length = RespScanner.Scan(bytes, out RespToken token);
        text = $"{token.Kind} {token.Number} {Encoding.ASCII.GetString(token.Text)}";
        return length;
    }
}
