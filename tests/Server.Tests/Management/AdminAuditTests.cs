using Danube.Fast.Server.Http;
using Danube.Fast.Server.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Tests;

/// <summary>Log line 32 of every call that may have changed something.</summary>
public sealed class AdminAuditTests
{
    [Fact]
    public async Task A_call_whose_caller_has_gone_leaves_its_line()
    {
        var log = new Lines();
        var api = new AdminApi(null!, new RequestCounters(), null!, null!, null!, () => new BrokersReply([]), log);
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };
        context.Request.Method = HttpMethods.Delete;
        context.Request.Path = "/admin/v1/nothing";
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => api.HandleAsync(context));
        Assert.Contains("DELETE /admin/v1/nothing", Assert.Single(log.Audits));
    }

    private sealed class Lines : ILogger
    {
        public List<string> Audits { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 32)
            {
                Audits.Add(formatter(state, exception));
            }
        }
    }
}
