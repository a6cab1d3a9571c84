using System.Text;
using Danube.Fast.Client;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Examples.HostedService;

/// <summary>What has been handled; the example ends when all orders are.</summary>
internal sealed class OrderLog
{
    public const string Topic = "/examples/hosted-orders";
    public const int Orders = 100;

    private int _handled;

    /// <summary>The subscription exists: orders sent from now on will come.</summary>
    public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsComplete => Volatile.Read(ref _handled) >= Orders;

    public void Add() => Interlocked.Increment(ref _handled);
}

/// <summary>Handles orders until the host stops. What it has not acknowledged by then comes again when it runs the next time.</summary>
internal sealed class OrderService(DanubeConnection danube, OrderLog log, IHostApplicationLifetime host, ILogger<OrderService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DanubeClient client = await danube.GetAsync(stoppingToken);

        // Disposing sends the outstanding acknowledgements and gives the rest back to other instances at once.
        await using Consumer consumer = await client.SubscribeAsync(
            new ConsumerOptions { Topic = OrderLog.Topic, Subscription = "order-service", Type = SubscriptionType.Shared }, stoppingToken);
        log.Ready.TrySetResult();
        await foreach (Message message in consumer.ReadAllAsync(stoppingToken))
        {
            try
            {
                Handle(Encoding.UTF8.GetString(message.Payload.Span));
                consumer.Ack(message);
            }
            catch (FormatException e)
            {
                // Not for ever: the subscription's policy says how often, and what then.
                logger.LogWarning(e, "Order {Id} cannot be read", message.Id);
                consumer.Nack(message);
            }

            if (log.IsComplete)
            {
                logger.LogInformation("All {Count} orders are handled", OrderLog.Orders);
                host.StopApplication();
                return;
            }
        }
    }

    private void Handle(string order)
    {
        logger.LogDebug("Handling {Order}", order);
        log.Add();
    }
}

/// <summary>Stands for whatever brings orders in: sends them, then is done.</summary>
internal sealed class OrderSource(DanubeConnection danube, OrderLog log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await log.Ready.Task.WaitAsync(stoppingToken);
        DanubeClient client = await danube.GetAsync(stoppingToken);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = OrderLog.Topic }, stoppingToken);
        for (int i = 0; i < OrderLog.Orders; i++)
        {
            await producer.PostAsync(Encoding.UTF8.GetBytes($"order {i}"), stoppingToken);
        }

        await producer.FlushAsync(stoppingToken);
    }
}
