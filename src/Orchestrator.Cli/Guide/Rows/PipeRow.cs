using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class PipeRow() : GuideRow("pipe", "5.3", "a pipe between two processes")
{
    private const int RoundTrips = 100;

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("wire");
        await guide.Client.Contract.CreatePipeAsync(new PipeSpec { Name = name, Duplex = true }, guide.Token);
        var echo = await guide.Pool.SubmitAsync<int>("pipe_echo", new { pipe = name, end = "A" }, cancellationToken: guide.Token);
        guide.Say("A task in a worker has end A of a duplex pipe and sends back what it receives; this process has end B.");
        await using var session = await guide.OpenSessionAsync();
        var end = session.Pipe(name).EndB;
        await end.SendAsync(Payloads.FromText("Hello from the parent"), guide.Token);
        var answer = await end.ReceiveAsync(guide.Token);
        guide.Shows($"the reply: {Payloads.ToJson(answer!)}", answer!.Json.StringValue == "Hello from the parent");

        var inOrder = true;
        var took = await GuideContext.TimeAsync(async () =>
        {
            for (var i = 0; i < RoundTrips; i++)
            {
                await end.SendAsync(Payloads.FromNumber(i), guide.Token);
                inOrder &= (await end.ReceiveAsync(guide.Token))?.Json.NumberValue == i;
            }
        });
        guide.Shows($"{RoundTrips} messages went there and back in order, {GuideContext.Show(took / RoundTrips)} each", inOrder);

        await end.CloseAsync(guide.Token);
        guide.Shows("with this end closed the task reads the end of file, and ends with its count", await echo == RoundTrips + 1);
        guide.Shows("both ends are closed, and the pipe has been deleted", (await guide.Client.Contract.ListPipesAsync(guide.Token))
            .All(pipe => pipe.Spec.Name != name));
    }
}
