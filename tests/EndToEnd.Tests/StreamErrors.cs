using System.Text.Json;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Waits for the error frames that no request caused.</summary>
internal static class StreamErrors
{
    /// <summary>The payload of the next error or close frame; other frames are passed over, but for acknowledgements: what is waited for is a refusal.</summary>
    public static ErrorPayload Next(RawConnection connection)
    {
        while (true)
        {
            ReadOnlySpan<byte> frame = connection.ReadFrame();
            Assert.False(frame.IsEmpty, "the broker closed the connection without an error frame");
            if (frame[2] == 1 && frame[4] == (byte)FrameType.Error)
            {
                return Read(frame[ProtocolLimits.HeaderSize..]);
            }

            Assert.False(frame[2] == 2 && frame[4] == (byte)FrameType.PublishAck, "the broker acknowledged what it must refuse");
            if (frame[2] == 2 && frame[4] == (byte)FrameType.Close)
            {
                return Read(new CloseFrame(frame).Json);
            }
        }
    }

    private static ErrorPayload Read(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, ControlJson.Default.ErrorPayload)!;
}
