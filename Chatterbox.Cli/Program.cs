using Chatterbox.Cli;

return await ChatterboxVerbs.Root().RunAsync(args);
