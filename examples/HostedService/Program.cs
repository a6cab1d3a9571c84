// A service of Microsoft.Extensions.Hosting: the host starts and stops producers and consumers, with configuration, logging and a clean shutdown.
using Danube.Fast.Examples.HostedService;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);

// "Danube:Url" can come from appsettings.json, the environment (Danube__Url) or the command line (--Danube:Url=...).
string url = builder.Configuration["Danube:Url"] ?? Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";
builder.Services.AddDanube(url);
builder.Services.AddHostedService<OrderService>();
builder.Services.AddHostedService<OrderSource>();

IHost host = builder.Build();
OrderLog log = host.Services.GetRequiredService<OrderLog>();
await host.RunAsync();
return log.IsComplete ? 0 : 1;
