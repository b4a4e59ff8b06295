using Microsoft.OpenApi;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>The description of <c>/api</c>, at <c>/openapi/v1.json</c>.</summary>
internal static class OpenApi
{
    private const string Bearer = "bearer";

    public static void AddChatterboxOpenApi(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new() { Title = "Chatterbox", Version = "v1" };
            // Where it runs says nothing of what it is.
            document.Servers = [];
            document.Components ??= new();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = Bearer, BearerFormat = "JWT",
            };
            document.Security = [new() { [new OpenApiSecuritySchemeReference(Bearer, document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            foreach (var name in context.Description.ActionDescriptor.EndpointMetadata.OfType<PathParameter>())
            {
                operation.Parameters ??= [];
                operation.Parameters.Insert(0, new OpenApiParameter
                {
                    Name = name.Name, In = ParameterLocation.Path, Required = true,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }
            return Task.CompletedTask;
        });
        // A list's own converter hides what it holds.
        options.AddSchemaTransformer(async (schema, context, cancellationToken) =>
        {
            var type = context.JsonTypeInfo.Type;
            if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(ValueList<>)) return;
            schema.Type = JsonSchemaType.Array;
            schema.Items = await context.GetOrCreateSchemaAsync(type.GetGenericArguments()[0], null, cancellationToken);
        });
    });

    public static void MapChatterboxOpenApi(this IEndpointRouteBuilder endpoints) => endpoints.MapOpenApi().AllowAnonymous();
}

/// <summary>A part of the path that no handler takes by itself.</summary>
internal sealed record PathParameter(string Name);
